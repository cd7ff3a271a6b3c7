package codec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/media"
)

func testLimits() limits { return limits{pixels: 640 * 480, unitBytes: 100_000} }

func sampleRequest() *Request {
	return &Request{
		Config: &media.Config{Codec: media.H264, Record: []byte("record")},
		Units:  [][]byte{[]byte("first"), {}, []byte("third unit")},
		First:  true,
		Pictures: []stillcast.PictureSpec{
			{Size: stillcast.Size{Width: 640, Height: 360}, Fit: stillcast.FitCover, Format: stillcast.FormatJPEG, Quality: 85, Progressive: true},
			{Fit: stillcast.FitStretch, Format: stillcast.FormatWebP, Quality: 100},
		},
	}
}

// wire is a message as it stands on the wire.
func wire(t testing.TB, buffers net.Buffers) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := buffers.WriteTo(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRequestRoundTrip(t *testing.T) {
	t.Parallel()
	want := sampleRequest()
	got, _, err := readRequest(nil, bytes.NewReader(wire(t, want.buffers())), testLimits())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Error(diff)
	}
}

// What a caller leaves out arrives as what it means.
func TestRequestDefaults(t *testing.T) {
	t.Parallel()
	r := &Request{Config: &media.Config{Codec: media.H264}, Pictures: []stillcast.PictureSpec{{Quality: 1}}}
	got, _, err := readRequest(nil, bytes.NewReader(wire(t, r.buffers())), testLimits())
	if err != nil {
		t.Fatal(err)
	}
	if p := got.Pictures[0]; p.Fit != stillcast.FitStretch || p.Format != stillcast.FormatJPEG {
		t.Errorf("picture arrives as %+v", p)
	}
}

func TestSetupAndHelloRoundTrip(t *testing.T) {
	t.Parallel()
	want := limits{pixels: 1 << 28, unitBytes: 256 << 20, memory: 1 << 40, cpu: time.Hour}
	got, err := readSetup(bytes.NewReader(appendSetup(nil, want)))
	if err != nil || got != want {
		t.Errorf("setup is %v, %v, wanted %v", got, err, want)
	}
	for _, want := range []sandbox{{}, {landlock: 7, seccomp: true}, {landlock: 1, lacks: "seccomp: not implemented"}} {
		box, err := readHello(bytes.NewReader(appendHello(nil, want)))
		if err != nil || box != want {
			t.Errorf("hello is %+v, %v, wanted %+v", box, err, want)
		}
	}
	long := appendHello(nil, sandbox{lacks: strings.Repeat("x", 10*maxMessage)})
	if box, err := readHello(bytes.NewReader(long)); err != nil || len(box.lacks) != maxMessage {
		t.Errorf("hello of a long story is %+v, %v", box, err)
	}
	other := appendHello(nil, sandbox{})
	other[headSize]++
	flag := appendHello(nil, sandbox{})
	flag[headSize+2] = 2
	for name, b := range map[string][]byte{"another version": other, "a flag that is none": flag, "nothing": nil, "an empty hello": appendHead(nil, kindHello, 0)} {
		if box, err := readHello(bytes.NewReader(b)); err == nil {
			t.Errorf("%s is taken as %+v", name, box)
		}
	}
}

func TestBadRequests(t *testing.T) {
	t.Parallel()
	good := wire(t, sampleRequest().buffers())
	end := func(b ...byte) []byte { return append(slices.Clip(good), b...) }
	withLength := func(b []byte) []byte {
		return append(appendHead(nil, kindRequest, len(b)-headSize), b[headSize:]...)
	}
	with := func(at int, value byte) []byte {
		b := bytes.Clone(good)
		b[headSize+at] = value
		return b
	}
	const firstSpec, firstUnit = requestHead, requestHead + 2*specSize
	for name, b := range map[string][]byte{
		"truncated":          good[:len(good)-1],
		"cut units":          withLength(good[:len(good)-1]),
		"cut sizes":          withLength(good[:headSize+firstUnit+2]),
		"cut pictures":       withLength(good[:headSize+firstSpec+2]),
		"more than units":    withLength(end(1)),
		"head alone":         appendHead(nil, kindRequest, 0),
		"unknown flag":       with(1, 2),
		"too many units":     with(6, 0xff),
		"too many pictures":  with(8, MaxPictures+1),
		"unknown fit":        with(firstSpec+8, 3),
		"unknown format":     with(firstSpec+9, 2),
		"progressive, twice": with(firstSpec+11, 2),
		"unit out of reach":  with(firstUnit, 0xff),
		"long record":        with(2, 0xff),
		"too large":          appendHead(nil, kindRequest, testLimits().requestBytes()+1),
		"answer":             appendFailure(nil, ErrDamaged),
	} {
		if _, _, err := readRequest(nil, bytes.NewReader(b), testLimits()); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
	if _, _, err := readRequest(nil, bytes.NewReader(nil), testLimits()); !errors.Is(err, io.EOF) {
		t.Errorf("end of the pool: error is %v, wanted %v", err, io.EOF)
	}
}

func FuzzReadRequest(f *testing.F) {
	f.Add(wire(f, sampleRequest().buffers()))
	f.Add(wire(f, (&Request{Config: &media.Config{}}).buffers()))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, _, err := readRequest(nil, bytes.NewReader(b), testLimits())
		if err != nil {
			return
		}
		// What is understood is written as it was read.
		if again := wire(t, r.buffers()); !bytes.HasPrefix(b, again) {
			t.Errorf("read %q, wrote %q", b, again)
		}
	})
}

func FuzzReadHello(f *testing.F) {
	f.Add(appendHello(nil, sandbox{landlock: 7, seccomp: true}))
	f.Add(appendHello(nil, sandbox{lacks: "everything"}))
	f.Fuzz(func(t *testing.T, b []byte) {
		box, err := readHello(bytes.NewReader(b))
		if err != nil {
			return
		}
		if complete := box.check() == nil; complete != (box.landlock > 0 && box.seccomp) || strings.ContainsAny(box.lacks, "\x1b\n\r") {
			t.Errorf("hello %q is read as %+v", b, box)
		}
	})
}

func TestFailureRoundTrip(t *testing.T) {
	t.Parallel()
	for _, f := range failures {
		b := appendFailure(nil, fmt.Errorf("decode: %w", f.err))
		failed, err := readAnswer(bytes.NewReader(b), nil, testLimits())
		if err != nil || !errors.Is(failed.failure, f.err) || !strings.HasPrefix(failed.failure.Error(), "decode: ") {
			t.Errorf("failure is %v, %v, wanted %v", failed.failure, err, f.err)
		}
	}
	long := errors.New(strings.Repeat("x", 10*maxMessage))
	got, err := readAnswer(bytes.NewReader(appendFailure(nil, long)), nil, testLimits())
	if err != nil || !errors.Is(got.failure, ErrDamaged) || len(got.failure.Error()) != maxMessage {
		t.Errorf("long failure is %v, %v", got.failure, err)
	}
	control := append(appendHead(nil, kindFailure, 6), "\x02\x1b[2J\n"...)
	if a, err := readAnswer(bytes.NewReader(control), nil, testLimits()); err != nil || a.failure.Error() != "?[2J?" {
		t.Errorf("failure with control characters is %v, %v", a.failure, err)
	}
}
