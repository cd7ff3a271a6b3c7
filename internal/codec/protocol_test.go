package codec

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stillcast/stillcast/internal/media"
)

func testLimits() limits { return limits{pixels: 640 * 480, unitBytes: 100_000} }

func sampleRequest() *Request {
	return &Request{
		Config: &media.Config{Codec: media.H264, Record: []byte("record")},
		Units:  [][]byte{[]byte("first"), {}, []byte("third unit")},
		Width:  640, Height: 360, Quality: 85,
	}
}

// message is a request as it stands on the wire.
func message(t testing.TB, r *Request) []byte {
	t.Helper()
	var out bytes.Buffer
	buffers := r.buffers()
	if _, err := buffers.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func samplePicture(t testing.TB) *Picture {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, image.NewGray(image.Rect(0, 0, 32, 16)), nil); err != nil {
		t.Fatal(err)
	}
	return &Picture{
		JPEG: out.Bytes(), Width: 32, Height: 16, SourceWidth: 64, SourceHeight: 32,
		Decode: 3 * time.Millisecond, Scale: 2, Encode: time.Second,
	}
}

func answerMessage(p *Picture) []byte { return append(p.head(), p.JPEG...) }

func TestRequestRoundTrip(t *testing.T) {
	t.Parallel()
	want := sampleRequest()
	got, err := readRequest(bytes.NewReader(message(t, want)), testLimits())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

func TestSetupAndHelloRoundTrip(t *testing.T) {
	t.Parallel()
	want := limits{pixels: 1 << 28, unitBytes: 256 << 20, memory: 1 << 40}
	got, err := readSetup(bytes.NewReader(appendSetup(nil, want)))
	if err != nil || got != want {
		t.Errorf("setup is %v, %v, wanted %v", got, err, want)
	}
	if err := readHello(bytes.NewReader(appendHello(nil))); err != nil {
		t.Error(err)
	}
	other := appendHello(nil)
	other[headSize]++
	if err := readHello(bytes.NewReader(other)); err == nil {
		t.Error("another version is taken")
	}
}

func TestAnswerRoundTrip(t *testing.T) {
	t.Parallel()
	want := samplePicture(t)
	got, err := readAnswer(bytes.NewReader(answerMessage(want)), size{32, 16}, testLimits())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.picture); diff != "" {
		t.Error(diff)
	}
	for _, f := range failures {
		b := appendFailure(nil, fmt.Errorf("decode: %w", f.err))
		failed, err := readAnswer(bytes.NewReader(b), size{}, testLimits())
		if err != nil || !errors.Is(failed.failure, f.err) || !strings.HasPrefix(failed.failure.Error(), "decode: ") {
			t.Errorf("failure is %v, %v, wanted %v", failed.failure, err, f.err)
		}
	}
	long := errors.New(strings.Repeat("x", 10*maxMessage))
	got, err = readAnswer(bytes.NewReader(appendFailure(nil, long)), size{}, testLimits())
	if err != nil || !errors.Is(got.failure, ErrDamaged) || len(got.failure.Error()) != maxMessage {
		t.Errorf("long failure is %v, %v", got.failure, err)
	}
}

func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	change := func(f func(p *Picture)) []byte {
		p := samplePicture(t)
		f(p)
		return answerMessage(p)
	}
	good := answerMessage(samplePicture(t))
	cases := []struct {
		name string
		b    []byte
		text string
	}{
		{"nothing", nil, "unexpected EOF"},
		{"half a head", good[:3], "unexpected EOF"},
		{"half a body", good[:len(good)/2], "unexpected EOF"},
		{"request", message(t, sampleRequest()), "kind 3"},
		{"huge", appendHead(nil, kindPicture, 1<<32-1), "at most"},
		{"short", append(appendHead(nil, kindPicture, 3), 1, 2, 3), "at least"},
		{"no pixels", change(func(p *Picture) { p.Width = 0 }), "0x16"},
		{"too many pixels", change(func(p *Picture) { p.Width = 60000 }), "at most"},
		{"overflowing pixels", change(func(p *Picture) { p.Width, p.Height = 1<<32-1, 1<<32-1 }), "at most"},
		{"other size than asked", change(func(p *Picture) { p.Width, p.Height = 16, 32 }), "gives 32x16"},
		{"no source", change(func(p *Picture) { p.SourceHeight = 0 }), "64x0"},
		{"absurd source", change(func(p *Picture) { p.SourceHeight = 1<<32 - 1 }), "source"},
		{"negative time", change(func(p *Picture) { p.Scale = -1 }), "longer"},
		{"no JPEG", change(func(p *Picture) { p.JPEG = []byte("<html>") }), "no JPEG"},
		{"empty JPEG", change(func(p *Picture) { p.JPEG = nil }), "no JPEG"},
		{"markers alone", change(func(p *Picture) { p.JPEG = []byte(startOfImage + endOfImage) }), "header"},
		{"larger than can be", change(func(p *Picture) { p.JPEG = make([]byte, 100_000) }), "possible"},
		{"JPEG of another size", change(func(p *Picture) {
			var out bytes.Buffer
			_ = jpeg.Encode(&out, image.NewGray(image.Rect(0, 0, 16, 16)), nil)
			p.JPEG = out.Bytes()
		}), "16x16"},
		{"empty failure", appendHead(nil, kindFailure, 0), "0 bytes"},
		{"endless failure", append(appendHead(nil, kindFailure, 1000), make([]byte, 1000)...), "1000 bytes"},
		{"unknown failure", append(appendHead(nil, kindFailure, 1), 77), "77"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := readAnswer(bytes.NewReader(c.b), size{32, 16}, testLimits())
			if err == nil || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error is %v, wanted %q in it", err, c.text)
			}
		})
	}
	control := append(appendHead(nil, kindFailure, 6), "\x02\x1b[2J\n"...)
	if a, err := readAnswer(bytes.NewReader(control), size{}, testLimits()); err != nil || a.failure.Error() != "?[2J?" {
		t.Errorf("failure with control characters is %v, %v", a.failure, err)
	}
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	good := message(t, sampleRequest())
	end := func(b ...byte) []byte { return append(slices.Clip(good), b...) }
	withLength := func(b []byte) []byte {
		return append(appendHead(nil, kindRequest, len(b)-headSize), b[headSize:]...)
	}
	manyUnits := bytes.Clone(good)
	manyUnits[headSize+14] = 0xff
	largeUnit := bytes.Clone(good)
	largeUnit[headSize+requestHead] = 0xff
	for name, b := range map[string][]byte{
		"truncated":         good[:len(good)-1],
		"cut units":         withLength(good[:len(good)-1]),
		"more than units":   withLength(end(1)),
		"head alone":        appendHead(nil, kindRequest, 0),
		"too many units":    manyUnits,
		"unit out of reach": largeUnit,
		"too large":         appendHead(nil, kindRequest, testLimits().requestBytes()+1),
		"answer":            appendFailure(nil, ErrDamaged),
	} {
		if _, err := readRequest(bytes.NewReader(b), testLimits()); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
	if _, err := readRequest(bytes.NewReader(nil), testLimits()); !errors.Is(err, io.EOF) {
		t.Errorf("end of the pool: error is %v, wanted %v", err, io.EOF)
	}
}

func FuzzReadRequest(f *testing.F) {
	f.Add(message(f, sampleRequest()))
	f.Add(message(f, &Request{Config: &media.Config{}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := readRequest(bytes.NewReader(b), testLimits())
		if err != nil {
			return
		}
		// What is understood is written as it was read.
		if again := message(t, r); !bytes.HasPrefix(b, again) {
			t.Errorf("read %q, wrote %q", b, again)
		}
	})
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(answerMessage(samplePicture(f)), uint16(32), uint16(16))
	f.Add(answerMessage(samplePicture(f)), uint16(32), uint16(0))
	f.Add(appendFailure(nil, ErrNoPicture), uint16(0), uint16(0))
	f.Fuzz(func(t *testing.T, b []byte, width, height uint16) {
		asked := size{int(width), int(height)}
		a, err := readAnswer(bytes.NewReader(b), asked, testLimits())
		if err != nil {
			return
		}
		if (a.picture == nil) == (a.failure == nil) {
			t.Fatalf("answer is %+v", a)
		}
		if p := a.picture; p != nil && (p.Width*p.Height > testLimits().pixels || len(p.JPEG) > len(b)) {
			t.Errorf("picture of %dx%d pixels and %d bytes", p.Width, p.Height, len(p.JPEG))
		}
	})
}
