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
		{"record of another codec", av.Input{Codec: media.HEVC, Record: record, Units: [][]byte{key}}, av.ErrDamaged, "HEVC"},
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
	for _, codec := range codecs() {
		if !av.Supported(codec) {
			t.Errorf("%s is not supported", codec)
		}
	}
	if av.Supported(media.CodecNone) {
		t.Error("no codec is supported")
	}
}

func codecs() []media.Codec {
	return []media.Codec{media.H264, media.HEVC, media.AV1, media.VP9, media.VP8}
}

func TestPictureRefusesSizesThatNoJPEGHas(t *testing.T) {
	t.Parallel()
	clip := codectest.Make(t, "testsrc2=size=320x180", 1)
	frame, err := av.Decode(input(clip), codectest.MaxPixels)
	if err != nil {
		t.Fatal(err)
	}
	defer frame.Close()
	for _, size := range []image.Point{{0, 10}, {10, 0}, {-1, 10}, {av.MaxSide + 1, 10}, {10, av.MaxSide + 1}} {
		if picture, err := frame.Picture(av.Geometry{Width: size.X, Height: size.Y}); !errors.Is(err, av.ErrTooLarge) {
			t.Errorf("size %s: error is %v, wanted %v", size, err, av.ErrTooLarge)
			picture.Close()
		}
	}
	if _, err := shoot(input(clip), 320, 1, 85); err != nil {
		t.Errorf("to one row: %v", err)
	}
	data, err := shoot(input(clip), av.MaxSide, 8, 85)
	if err != nil {
		t.Fatal(err)
	}
	if got := testkit.DecodeJPEG(t, data).Bounds().Size(); got != image.Pt(av.MaxSide, 8) {
		t.Errorf("picture of %s, wanted 65500x8", got)
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
