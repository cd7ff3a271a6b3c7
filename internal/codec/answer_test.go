package codec

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/stillcast/stillcast"
)

func sampleJPEG(t testing.TB, width, height int) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, image.NewGray(image.Rect(0, 0, width, height)), nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// sampleWebP has the header of a WebP file and no more.
func sampleWebP(width, height uint16) []byte {
	b := append([]byte("RIFF\x16\x00\x00\x00WEBPVP8 \x0a\x00\x00\x00"), 0x10, 0, 0, 0x9d, 0x01, 0x2a)
	return binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(b, width), height)
}

// sampleAsked is what sampleResult answers.
func sampleAsked() []stillcast.PictureSpec {
	return []stillcast.PictureSpec{{Size: stillcast.Size{Width: 32}}, {Size: stillcast.Size{Height: 8}, Format: stillcast.FormatWebP}}
}

func sampleResult(t testing.TB) *Result {
	t.Helper()
	return &Result{
		Pictures:    []Picture{{Data: sampleJPEG(t, 32, 16), Width: 32, Height: 16}, {Data: sampleWebP(16, 8), Width: 16, Height: 8}},
		SourceWidth: 64, SourceHeight: 32,
		Measures: Measures{Luma: 16.5, Variance: 1e4, Black: true, Hash: 1<<63 | 5},
		Decode:   3 * time.Millisecond, Scale: 2, Encode: time.Second,
	}
}

func TestResultRoundTrip(t *testing.T) {
	t.Parallel()
	want := sampleResult(t)
	got, err := readAnswer(bytes.NewReader(wire(t, want.buffers())), sampleAsked(), testLimits())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.result); diff != "" {
		t.Error(diff)
	}
	want.Measures.Black, want.Measures.Solid = false, true
	if got, err = readAnswer(bytes.NewReader(wire(t, want.buffers())), sampleAsked(), testLimits()); err != nil || got.result.Measures != want.Measures {
		t.Errorf("measures %+v arrive as %+v, %v", want.Measures, got.result, err)
	}
}

func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	change := func(f func(r *Result)) []byte {
		r := sampleResult(t)
		f(r)
		return wire(t, r.buffers())
	}
	first := func(f func(p *Picture)) []byte { return change(func(r *Result) { f(&r.Pictures[0]) }) }
	webp := func(f func(b []byte) []byte) []byte {
		return change(func(r *Result) { r.Pictures[1].Data = f(r.Pictures[1].Data) })
	}
	good := wire(t, sampleResult(t).buffers())
	with := func(at int, value byte) []byte {
		b := bytes.Clone(good)
		b[at] = value
		return b
	}
	cases := []struct {
		name string
		b    []byte
		text string
	}{
		{"nothing", nil, "unexpected EOF"},
		{"half a head", good[:3], "unexpected EOF"},
		{"half a body", good[:len(good)/2], "unexpected EOF"},
		{"no last byte", good[:len(good)-1], "unexpected EOF"},
		{"request", wire(t, sampleRequest().buffers()), "kind 3"},
		{"huge", appendHead(nil, kindResult, 1<<32-1), "at most"},
		{"short", append(appendHead(nil, kindResult, 3), 1, 2, 3), "at least"},
		{"fewer pictures", with(headSize+resultHead-1, 1), "1 pictures"},
		{"more bytes than pictures", with(4, good[4]+1), "1 more"},
		{"fewer bytes than pictures", with(4, good[4]-1), "-1 more"},
		{"no pixels", first(func(p *Picture) { p.Width = 0 }), "0x16"},
		{"other size than asked", first(func(p *Picture) { p.Width, p.Height = 16, 32 }), "gives 32x16"},
		{"overflowing pixels", first(func(p *Picture) { p.Width, p.Height = 1<<32-1, 1<<32-1 }), "gives"},
		{"no source", change(func(r *Result) { r.SourceHeight = 0 }), "64x0"},
		{"absurd source", change(func(r *Result) { r.SourceHeight = 1<<32 - 1 }), "source"},
		{"source beyond the limit", change(func(r *Result) { r.SourceWidth, r.SourceHeight = 10000, 10000 }), "source"},
		{"picture beyond the limit", change(func(r *Result) {
			r.SourceWidth, r.SourceHeight = 1, 100000
			r.Pictures[0].Height = 3200000
		}), "at most"},
		{"negative time", change(func(r *Result) { r.Scale = -1 }), "longer"},
		{"luma that is no number", change(func(r *Result) { r.Measures.Luma = math.NaN() }), "NaN"},
		{"endless variance", change(func(r *Result) { r.Measures.Variance = math.Inf(1) }), "+Inf"},
		{"luma beyond white", change(func(r *Result) { r.Measures.Luma = 255.1 }), "255.1"},
		{"negative variance", change(func(r *Result) { r.Measures.Variance = -1 }), "-1"},
		{"unknown flags", with(headSize+48, 4), "flags"},
		{"no JPEG", first(func(p *Picture) { p.Data = []byte("<html>") }), "no JPEG"},
		{"empty JPEG", first(func(p *Picture) { p.Data = nil }), "no JPEG"},
		{"markers alone", first(func(p *Picture) { p.Data = []byte(startOfImage + endOfImage) }), "header"},
		{"larger than can be", first(func(p *Picture) { p.Data = make([]byte, 100_000) }), "possible"},
		{"JPEG of another size", first(func(p *Picture) { p.Data = sampleJPEG(t, 16, 16) }), "16x16"},
		{"WebP for a JPEG", first(func(p *Picture) { p.Data = sampleWebP(32, 16) }), "no JPEG"},
		{"JPEG for a WebP", webp(func([]byte) []byte { return sampleJPEG(t, 16, 8) }), "no WebP"},
		{"empty WebP", webp(func([]byte) []byte { return nil }), "no WebP"},
		{"half a WebP", webp(func(b []byte) []byte { return b[:29] }), "no WebP"},
		{"WebP of another size", webp(func([]byte) []byte { return sampleWebP(8, 16) }), "8x16"},
		{"WebP with more behind", webp(func(b []byte) []byte { return append(b, 0, 0) }), "announces"},
		{"WebP of a long chunk", webp(func(b []byte) []byte { b[19] = 0xff; return b }), "announces"},
		{"WebP of an inter frame", webp(func(b []byte) []byte { b[20]++; return b }), "key frame"},
		{"WebP without start code", webp(func(b []byte) []byte { b[23]++; return b }), "key frame"},
		{"WebP that scales", webp(func(b []byte) []byte { b[27] |= 0x40; return b }), "scaled"},
		{"empty failure", appendHead(nil, kindFailure, 0), "0 bytes"},
		{"endless failure", append(appendHead(nil, kindFailure, 1000), make([]byte, 1000)...), "1000 bytes"},
		{"unknown failure", append(appendHead(nil, kindFailure, 1), 77), "77"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := readAnswer(bytes.NewReader(c.b), sampleAsked(), testLimits())
			if err == nil || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error is %v, wanted %q in it", err, c.text)
			}
		})
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add(wire(f, sampleResult(f).buffers()), uint16(32), uint16(0), uint16(8))
	f.Add(wire(f, sampleResult(f).buffers()), uint16(32), uint16(16), uint16(0))
	f.Add(appendFailure(nil, ErrNoPicture), uint16(0), uint16(0), uint16(0))
	f.Fuzz(func(t *testing.T, b []byte, width, height, second uint16) {
		asked := []stillcast.PictureSpec{
			{Size: stillcast.Size{Width: int(width), Height: int(height)}},
			{Size: stillcast.Size{Height: int(second)}, Format: stillcast.FormatWebP},
		}
		a, err := readAnswer(bytes.NewReader(b), asked, testLimits())
		if err != nil {
			return
		}
		if (a.result == nil) == (a.failure == nil) {
			t.Fatalf("answer is %+v", a)
		}
		if a.result == nil {
			return
		}
		if again := wire(t, a.result.buffers()); !bytes.HasPrefix(b, again) {
			t.Errorf("read %q, wrote %q", b, again)
		}
		for i, p := range a.result.Pictures {
			if want := a.result.source().fit(asked[i].Size); want != (size{p.Width, p.Height}) || p.Width*p.Height > testLimits().pixels || len(p.Data) > len(b) {
				t.Errorf("picture of %dx%d pixels, wanted %s, and %d bytes", p.Width, p.Height, want, len(p.Data))
			}
		}
	})
}
