package av_test

import (
	"errors"
	"fmt"
	"image"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stillcast/stillcast/internal/codec/av"
	"github.com/stillcast/stillcast/internal/codec/codectest"
	"github.com/stillcast/stillcast/internal/media"
	"github.com/stillcast/stillcast/internal/testkit"
)

func TestBadInput(t *testing.T) {
	t.Parallel()
	clip := codectest.Make(t, "testsrc2=size=320x180", 3, "-bf", "0")
	key := clip.Units[0]
	record := slices.Clone(clip.Config.Record)
	cases := []struct {
		name string
		in   av.Input
		want error
		text string
	}{
		{"other codec", av.Input{Codec: media.HEVC, Record: record, Units: [][]byte{key}}, av.ErrUnsupported, "HEVC"},
		{"no codec", av.Input{Record: record, Units: [][]byte{key}}, av.ErrUnsupported, "none"},
		{"no unit", av.Input{Codec: media.H264, Record: record}, av.ErrNoPicture, "no access unit"},
		{"empty unit", av.Input{Codec: media.H264, Record: record, Units: [][]byte{{}}}, av.ErrDamaged, "empty"},
		{"no record", av.Input{Codec: media.H264, Units: [][]byte{key}}, av.ErrDamaged, "Invalid data"},
		{"truncated record", av.Input{Codec: media.H264, Record: record[:9], Units: [][]byte{key}}, av.ErrDamaged, "Invalid data"},
		{"truncated unit", av.Input{Codec: media.H264, Record: record, Units: [][]byte{key[:len(key)/2]}}, av.ErrDamaged, "Invalid data"},
		{"one byte short", av.Input{Codec: media.H264, Record: record, Units: [][]byte{key[:len(key)-1]}}, av.ErrDamaged, "Invalid data"},
		{"garbage", av.Input{Codec: media.H264, Record: record, Units: [][]byte{[]byte("\x00\x00\x00\x04abcd")}}, av.ErrDamaged, ""},
		{"no key frame", av.Input{Codec: media.H264, Record: record, Units: clip.Units[1:2]}, av.ErrNoPicture, "no whole picture"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			frame, err := av.Decode(c.in, codectest.MaxPixels)
			if err == nil {
				frame.Close()
			}
			var typed *av.Error
			if !errors.Is(err, c.want) || !errors.As(err, &typed) || !strings.Contains(err.Error(), c.text) {
				t.Errorf("error is %v, wanted %v with %q", err, c.want, c.text)
			}
		})
	}
}

func TestSupported(t *testing.T) {
	t.Parallel()
	for codec, want := range map[media.Codec]bool{media.H264: true, media.HEVC: false, media.AV1: false, media.CodecNone: false} {
		if got := av.Supported(codec); got != want {
			t.Errorf("%s is supported: %t, wanted %t", codec, got, want)
		}
	}
}

func TestScaleRefusesSizesThatNoJPEGHas(t *testing.T) {
	t.Parallel()
	clip := codectest.Make(t, "testsrc2=size=320x180", 1)
	frame, err := av.Decode(input(clip), codectest.MaxPixels)
	if err != nil {
		t.Fatal(err)
	}
	defer frame.Close()
	for _, size := range []image.Point{{0, 10}, {10, 0}, {-1, 10}, {av.MaxSide + 1, 10}, {10, av.MaxSide + 1}} {
		if picture, err := frame.Scale(size.X, size.Y); !errors.Is(err, av.ErrTooLarge) {
			t.Errorf("size %s: error is %v, wanted %v", size, err, av.ErrTooLarge)
			picture.Close()
		}
	}
	if _, err := shoot(input(clip), 320, 1, 85); err != nil {
		t.Errorf("to one row: %v", err)
	}
	// Beyond what swscale can.
	if _, err := shoot(input(clip), av.MaxSide, 1, 85); err != nil && !errors.Is(err, av.ErrUnsupported) {
		t.Errorf("error of scaling to %dx1 is %v, wanted %v", av.MaxSide, err, av.ErrUnsupported)
	}
	data, err := shoot(input(clip), av.MaxSide, 8, 85)
	if err != nil {
		t.Fatal(err)
	}
	if got := testkit.DecodeJPEG(t, data).Bounds().Size(); got != image.Pt(av.MaxSide, 8) {
		t.Errorf("picture of %s, wanted 65500x8", got)
	}
}

// Of several units the last picture is taken, with B-frames too.
func TestLastPictureOfSeveral(t *testing.T) {
	t.Parallel()
	const frames = 10
	source := testkit.Source{Width: 640, Height: 480, Matrix: testkit.BT601}
	clip := codectest.Make(t, source.Graph(), frames, "-bf", "2", "-crf", "8")
	if len(clip.Units) != frames {
		t.Fatalf("clip has %d units, wanted %d", len(clip.Units), frames)
	}
	data, err := shoot(input(clip), 0, 0, 95)
	if err != nil {
		t.Fatal(err)
	}
	got := testkit.DecodeJPEG(t, data)
	last := testkit.PSNR(got, testkit.ReferenceFrame(t, source, frames-1))
	before := testkit.PSNR(got, testkit.ReferenceFrame(t, source, frames-2))
	if last < 34 || before > last-3 {
		t.Errorf("PSNR is %.1f dB to the last picture and %.1f dB to the one before it", last, before)
	}
}

// A picture that is partly made up is no picture; one whose damage does not show is whole. Nothing else comes out, and
// the process goes on.
func TestDamagedKeyFrames(t *testing.T) {
	t.Parallel()
	for _, coder := range []string{"0", "1"} {
		clip := codectest.Make(t, "mandelbrot=size=320x180", 1, "-coder", coder, "-bf", "0")
		rng := rand.New(rand.NewPCG(1, 2))
		outcomes := map[string]int{}
		for range 300 {
			unit := slices.Clone(clip.Units[0])
			for range 1 + rng.IntN(4) {
				unit[rng.IntN(len(unit))] ^= 1 << rng.IntN(8)
			}
			data, err := shoot(input(clip.WithUnit(unit)), 0, 0, 85)
			outcomes[outcome(t, data, err)]++
		}
		t.Logf("coder %s: %v", coder, outcomes)
		if outcomes["damaged"] < 100 {
			t.Errorf("coder %s: outcomes are %v, wanted most to be damaged", coder, outcomes)
		}
	}
}

// outcome names the result of a shot that may fail; only some failures are right.
func outcome(t *testing.T, data []byte, err error) string {
	t.Helper()
	if err == nil {
		testkit.DecodeJPEG(t, data)
		return "picture"
	}
	for _, kind := range []error{av.ErrDamaged, av.ErrNoPicture, av.ErrTooLarge, av.ErrUnsupported} {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	t.Errorf("error of no kind: %v", err)
	return fmt.Sprint(err)
}

// Damage to a picture shows in those that follow from it, which report none.
func TestDamageIsCarriedOn(t *testing.T) {
	t.Parallel()
	clip := codectest.Make(t, "mandelbrot=size=320x180", 5, "-bf", "0")
	clip.Units[0] = slices.Clone(clip.Units[0])
	key := clip.Units[0]
	for i := len(key) / 2; i < len(key)/2+40; i++ {
		key[i] ^= 0x5a
	}
	if _, err := shoot(input(clip), 0, 0, 85); !errors.Is(err, av.ErrDamaged) {
		t.Errorf("error is %v, wanted %v", err, av.ErrDamaged)
	}
}
