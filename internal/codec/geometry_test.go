package codec

import (
	"math"
	"testing"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/codec/av"
)

func spec(width, height int, fit stillcast.Fit) stillcast.PictureSpec {
	return stillcast.PictureSpec{Size: stillcast.Size{Width: width, Height: height}, Fit: fit, Quality: 85}
}

func TestGeometry(t *testing.T) {
	t.Parallel()
	wide := source{coded: size{1920, 1080}}
	phone := source{coded: size{1920, 1080}, turned: true} // shown as 1080x1920
	hdv := source{coded: size{1440, 1080}, num: 4, den: 3} // shown as 1920x1080
	turnedHDV := source{coded: size{1440, 1080}, num: 4, den: 3, turned: true}
	odd := source{coded: size{853, 480}}
	cases := []struct {
		name   string
		source source
		spec   stillcast.PictureSpec
		want   av.Geometry
	}{
		{"nothing wanted", wide, spec(0, 0, ""), av.Geometry{Width: 1920, Height: 1080}},
		{"stretched by default", wide, spec(400, 400, ""), av.Geometry{Width: 400, Height: 400}},
		{"stretched", wide, spec(400, 400, stillcast.FitStretch), av.Geometry{Width: 400, Height: 400}},
		{"one side, contained", wide, spec(640, 0, stillcast.FitContain), av.Geometry{Width: 640, Height: 360}},
		{"one side, covered", wide, spec(0, 360, stillcast.FitCover), av.Geometry{Width: 640, Height: 360}},
		{"same shape, contained", wide, spec(640, 360, stillcast.FitContain), av.Geometry{Width: 640, Height: 360}},
		{"same shape, covered", wide, spec(640, 360, stillcast.FitCover), av.Geometry{Width: 640, Height: 360}},
		{"bars above and below", wide, spec(400, 400, stillcast.FitContain), av.Geometry{Width: 400, Height: 400, Box: av.Rect{Y: 88, Width: 400, Height: 224}}},   // 225
		{"bars left and right", wide, spec(1000, 300, stillcast.FitContain), av.Geometry{Width: 1000, Height: 300, Box: av.Rect{X: 234, Width: 532, Height: 300}}}, // 533.3
		{"cut left and right", wide, spec(400, 400, stillcast.FitCover), av.Geometry{Width: 400, Height: 400, Crop: av.Rect{X: 420, Width: 1080, Height: 1080}}},
		{"cut above and below", wide, spec(1000, 250, stillcast.FitCover), av.Geometry{Width: 1000, Height: 250, Crop: av.Rect{Y: 300, Width: 1920, Height: 480}}},
		{"swapped and contained", wide, spec(300, 400, stillcast.FitContain), av.Geometry{Width: 400, Height: 300, Box: av.Rect{Y: 38, Width: 400, Height: 224}}},
		{"swapped and covered", wide, spec(300, 400, stillcast.FitCover), av.Geometry{Width: 400, Height: 300, Crop: av.Rect{X: 240, Width: 1440, Height: 1080}}},
		{"turned", phone, spec(0, 0, ""), av.Geometry{Width: 1080, Height: 1920}},
		{"turned, by width", phone, spec(540, 0, ""), av.Geometry{Width: 540, Height: 960}},
		{"turned and swapped", phone, spec(1280, 720, ""), av.Geometry{Width: 720, Height: 1280}},
		{"turned and contained", phone, spec(400, 400, stillcast.FitContain), av.Geometry{Width: 400, Height: 400, Box: av.Rect{X: 88, Width: 224, Height: 400}}},
		{"turned and covered", phone, spec(400, 400, stillcast.FitCover), av.Geometry{Width: 400, Height: 400, Crop: av.Rect{Y: 420, Width: 1080, Height: 1080}}},
		{"wide pixels, contained", hdv, spec(400, 400, stillcast.FitContain), av.Geometry{Width: 400, Height: 400, Box: av.Rect{Y: 88, Width: 400, Height: 224}}},
		{"wide pixels, covered", hdv, spec(400, 400, stillcast.FitCover), av.Geometry{Width: 400, Height: 400, Crop: av.Rect{X: 316, Width: 808, Height: 1080}}}, // 810 of 1440
		{"wide pixels, turned and covered", turnedHDV, spec(400, 400, stillcast.FitCover), av.Geometry{Width: 400, Height: 400, Crop: av.Rect{Y: 316, Width: 1080, Height: 808}}},
		{"odd", odd, spec(480, 480, stillcast.FitCover), av.Geometry{Width: 480, Height: 480, Crop: av.Rect{X: 186, Width: 481, Height: 480}}},
		{"enlarged", source{coded: size{320, 180}}, spec(1000, 1000, stillcast.FitContain), av.Geometry{Width: 1000, Height: 1000, Box: av.Rect{Y: 218, Width: 1000, Height: 564}}},
		{"a line", source{coded: size{4096, 16}}, spec(16, 16, stillcast.FitContain), av.Geometry{Width: 16, Height: 16, Box: av.Rect{Y: 6, Width: 16, Height: 4}}},
		{"a dot of a line", source{coded: size{4096, 16}}, spec(16, 16, stillcast.FitCover), av.Geometry{Width: 16, Height: 16, Crop: av.Rect{X: 2040, Width: 16, Height: 16}}},
	}
	for _, c := range cases {
		if got := c.source.geometry(c.spec); got != c.want {
			t.Errorf("%s: geometry is %+v, wanted %+v", c.name, got, c.want)
		}
	}
}

// Whatever is shown and wanted, parts lie inside, in the middle, on even margins, and keep the source's proportions but for rounding.
func TestGeometryOfAllShapes(t *testing.T) {
	t.Parallel()
	sides := []int{1, 2, 3, 16, 17, 64, 99, 480, 853, 1080, 1920, 16384}
	for _, w := range sides {
		for _, h := range sides {
			for _, wanted := range []size{{1, 1}, {1, 2}, {16, 9}, {100, 100}, {639, 361}, {3000, 2000}, {7, 1999}} {
				for _, s := range []source{{coded: size{w, h}}, {coded: size{w, h}, turned: true}, {coded: size{w, h}, num: 8, den: 1}, {coded: size{w, h}, num: 10, den: 11, turned: true}} {
					contain := s.geometry(spec(wanted.width, wanted.height, stillcast.FitContain))
					checkPart(t, s, contain, contain.Box, size{contain.Width, contain.Height}, s.shown())
					cover := s.geometry(spec(wanted.width, wanted.height, stillcast.FitCover))
					checkPart(t, s, cover, cover.Crop, s.pixels(), size{cover.Width, cover.Height})
				}
			}
		}
	}
}

// checkPart checks a part of a whole which should have the proportions of shape.
func checkPart(t *testing.T, s source, g av.Geometry, part av.Rect, whole, shape size) {
	t.Helper()
	if part == (av.Rect{}) {
		part = av.Rect{Width: whole.width, Height: whole.height}
	}
	right, bottom := whole.width-part.X-part.Width, whole.height-part.Y-part.Height
	if part.Width < 1 || part.Height < 1 || part.X < 0 || part.Y < 0 || part.X != right || part.Y != bottom || part.X%2+part.Y%2 != 0 {
		t.Errorf("source %+v, picture %dx%d: part %+v of %s", s, g.Width, g.Height, part, whole)
	}
	// The exact part in the whole's own units, whose width may stand for more or less than their height.
	unit := 1.0
	if g.Crop != (av.Rect{}) {
		unit = float64(s.shown().width) * float64(whole.height) / (float64(s.shown().height) * float64(whole.width))
	}
	exact := math.Min(float64(whole.width), float64(whole.height)*float64(shape.width)/float64(shape.height)/unit)
	if part.Y == 0 && math.Abs(exact-float64(part.Width)) > 4 {
		t.Errorf("source %+v, picture %dx%d: part %+v of %s, wanted a width of %.1f", s, g.Width, g.Height, part, whole, exact)
	}
}
