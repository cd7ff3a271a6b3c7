package codec

import (
	"testing"

	"github.com/stillcast/stillcast/internal/codec/codectest"
	"github.com/stillcast/stillcast/internal/media"
)

// Units are looked through before a decoder sees them; the words are those of package media.
func TestUnitsAreCheckedFirst(t *testing.T) {
	t.Parallel()
	clip := codectest.Make(t, "mandelbrot=size=320x180", 2)
	bomb, inBand := codectest.Bomb(t, 16112, 16112, 0, false), codectest.Bomb(t, 16112, 16112, 0, true)
	truncated := clip
	truncated.Units = [][]byte{clip.Units[0], clip.Units[1][:len(clip.Units[1])-1]}
	record := clip
	record.Config = &media.Config{Codec: media.H264, Record: clip.Config.Record[:6]}
	cases := []struct {
		name string
		clip codectest.Clip
		want error
		text string
	}{
		{"forged record", bomb, ErrTooLarge, "H.264 picture of 16112x16112 pixels"},
		{"forged parameter set in a unit", inBand, ErrTooLarge, "H.264 picture of 16112x16112 pixels"},
		{"truncated second unit", truncated, ErrDamaged, "damaged video"},
		{"truncated record", record, ErrDamaged, "avcC record"},
	}
	for _, c := range cases {
		r := request(c.clip)
		_, err := shoot(&r, codectest.MaxPixels)
		wantError(t, err, c.want, c.text)
	}
	r := request(clip)
	if _, err := shoot(&r, codectest.MaxPixels); err != nil {
		t.Errorf("a clip that is right: %v", err)
	}
}
