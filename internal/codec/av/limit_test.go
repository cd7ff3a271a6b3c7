package av_test

import (
	"errors"
	"testing"

	"github.com/stillcast/stillcast/internal/codec/av"
	"github.com/stillcast/stillcast/internal/codec/codectest"
)

// A picture of an ordinary size in bytes must not make the decoder allocate and fill gigabytes.
func TestBombs(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name                   string
		width, height, visible int
		inBand                 bool
	}{
		{"in the record", 16112, 16112, 0, false},
		{"with the picture", 16112, 16112, 0, true},
		{"little of it visible", 16112, 16112, 64, false},
		{"a little too large", 4096, 2320, 0, true},
		{"wide", 65536, 160, 0, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			bomb := codectest.Bomb(t, c.width, c.height, c.visible, c.inBand)
			if _, err := shoot(input(bomb), 64, 64, 85); !errors.Is(err, av.ErrTooLarge) {
				t.Errorf("error is %v, wanted %v", err, av.ErrTooLarge)
			}
		})
	}
}

// The limit itself is allowed, and the counter-check of the bombs: with a true SPS they are pictures.
func TestLimitIsAllowed(t *testing.T) {
	t.Parallel()
	true720 := codectest.Bomb(t, 1280, 720, 0, true)
	if _, err := shoot(input(true720), 0, 0, 85); err != nil {
		t.Errorf("picture with an SPS written anew: %v", err)
	}
	for most, want := range map[int]error{1280*720 - 1: av.ErrTooLarge, 1280 * 720: nil} {
		frame, err := av.Decode(input(true720), most)
		if err == nil {
			frame.Close()
		}
		if !errors.Is(err, want) {
			t.Errorf("at most %d pixels: error is %v, wanted %v", most, err, want)
		}
	}
}

// Every codec holds to the limit, by the size that it decodes and not by that which is left after cropping.
func TestLimitOfEveryCodec(t *testing.T) {
	t.Parallel()
	for _, codec := range codecs() {
		t.Run(codec.String(), func(t *testing.T) {
			t.Parallel()
			clip := codectest.Encode(t, codec, "testsrc2=size=320x192,format=yuv420p", 1)
			for most, want := range map[int]bool{320*192 - 1: false, 320 * 192: true} {
				frame, err := av.Decode(input(clip), most)
				if err == nil {
					frame.Close()
				}
				// Not every decoder tells this from damage; media.CheckUnit does before.
				if want != (err == nil) || err != nil && !errors.Is(err, av.ErrTooLarge) && !errors.Is(err, av.ErrDamaged) {
					t.Errorf("at most %d pixels: error is %v", most, err)
				}
				t.Log(err)
			}
		})
	}
}
