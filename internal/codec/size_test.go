package codec

import (
	"errors"
	"testing"

	"github.com/stillcast/stillcast"
)

func TestFit(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		source size
		wanted stillcast.Size
		want   size
	}{
		{"nothing wanted", size{1920, 1080}, stillcast.Size{}, size{1920, 1080}},
		{"nothing wanted, upright", size{1080, 1920}, stillcast.Size{}, size{1080, 1920}},
		{"width", size{1920, 1080}, stillcast.Size{Width: 1280, Height: 0}, size{1280, 720}},
		{"height", size{1920, 1080}, stillcast.Size{Width: 0, Height: 720}, size{1280, 720}},
		{"width, enlarged", size{640, 360}, stillcast.Size{Width: 1280, Height: 0}, size{1280, 720}},
		{"width, upright", size{1080, 1920}, stillcast.Size{Width: 540, Height: 0}, size{540, 960}},
		{"width, rounded up", size{854, 480}, stillcast.Size{Width: 640, Height: 0}, size{640, 360}},    // 359.7
		{"width, half is up", size{1000, 333}, stillcast.Size{Width: 500, Height: 0}, size{500, 167}},   // 166.5
		{"height, half is up", size{853, 480}, stillcast.Size{Width: 0, Height: 240}, size{427, 240}},   // 426.5
		{"height, rounded up", size{1366, 768}, stillcast.Size{Width: 0, Height: 100}, size{178, 100}},  // 177.9
		{"never nothing", size{4096, 16}, stillcast.Size{Width: 100, Height: 0}, size{100, 1}},          // 0.4
		{"never nothing, upright", size{16, 4096}, stillcast.Size{Width: 0, Height: 100}, size{1, 100}}, // 0.4
		{"both", size{1920, 1080}, stillcast.Size{Width: 640, Height: 480}, size{640, 480}},             // stretched
		{"both, enlarged", size{320, 180}, stillcast.Size{Width: 3000, Height: 2000}, size{3000, 2000}}, // stretched
		{"swapped for a wide source", size{1920, 1080}, stillcast.Size{Width: 720, Height: 1280}, size{1280, 720}},
		{"swapped for an upright source", size{1080, 1920}, stillcast.Size{Width: 1280, Height: 720}, size{720, 1280}},
		{"both upright", size{1080, 1920}, stillcast.Size{Width: 720, Height: 1280}, size{720, 1280}},
		{"square wanted", size{1920, 1080}, stillcast.Size{Width: 500, Height: 500}, size{500, 500}},
		{"square source", size{720, 720}, stillcast.Size{Width: 640, Height: 480}, size{640, 480}},
		{"square source, upright wanted", size{720, 720}, stillcast.Size{Width: 480, Height: 640}, size{480, 640}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.source.fit(c.wanted); got != c.want {
				t.Errorf("%v of %s is %s, wanted %s", c.wanted, c.source, got, c.want)
			}
		})
	}
}

func TestDisplay(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name     string
		coded    size
		num, den int
		want     size
	}{
		{"unknown", size{1920, 1080}, 0, 1, size{1920, 1080}},
		{"square", size{1920, 1080}, 1, 1, size{1920, 1080}},
		{"HDV", size{1440, 1080}, 4, 3, size{1920, 1080}},
		{"NTSC", size{720, 480}, 8, 9, size{640, 480}},
		{"PAL wide", size{720, 576}, 64, 45, size{1024, 576}},
		{"rounded", size{853, 480}, 10, 11, size{775, 480}}, // 775.45
		{"absurd width", size{1920, 1080}, 9, 1, size{1920, 1080}},
		{"absurd height", size{1920, 1080}, 1, 9, size{1920, 1080}},
		{"negative", size{1920, 1080}, -4, 3, size{1920, 1080}},
		{"no denominator", size{1920, 1080}, 4, 0, size{1920, 1080}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := c.coded.display(c.num, c.den); got != c.want {
				t.Errorf("%s at %d:%d is %s, wanted %s", c.coded, c.num, c.den, got, c.want)
			}
		})
	}
}

func TestSizeCheck(t *testing.T) {
	t.Parallel()
	const most = 1000 * 1000
	for _, c := range []struct {
		format stillcast.Format
		size   size
		want   error
	}{
		{stillcast.FormatJPEG, size{1000, 1000}, nil},
		{stillcast.FormatJPEG, size{1001, 1000}, ErrTooLarge},
		{stillcast.FormatJPEG, size{65500, 1}, nil},
		{stillcast.FormatJPEG, size{65501, 1}, ErrTooLarge},
		{stillcast.FormatJPEG, size{1, 65501}, ErrTooLarge},
		{stillcast.FormatJPEG, size{1 << 32, 1 << 32}, ErrTooLarge},
		{stillcast.FormatWebP, size{16383, 1}, nil},
		{stillcast.FormatWebP, size{16384, 1}, ErrTooLarge},
		{stillcast.FormatWebP, size{1, 16384}, ErrTooLarge},
	} {
		if err := c.size.check(c.format, most); !errors.Is(err, c.want) {
			t.Errorf("%s of %s: error is %v, wanted %v", c.format, c.size, err, c.want)
		}
	}
}
