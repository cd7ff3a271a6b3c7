package codec

import (
	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/codec/av"
)

// source is the shape of a decoded frame.
type source struct {
	coded  size // after cropping, as it lies in memory
	num    int  // width of a pixel in proportion to its height, as a fraction; 0 where it is unknown
	den    int
	turned bool // shown turned by a right angle: width and height change places
}

// shown is the size of the frame as people see it, of square pixels.
func (s source) shown() size {
	d := s.coded.display(s.num, s.den)
	if s.turned {
		return d.turned()
	}
	return d
}

// pixels is the size of the frame's own pixels after turning, in which parts of it are named.
func (s source) pixels() size {
	if s.turned {
		return s.coded.turned()
	}
	return s.coded
}

// geometry says what of a frame goes where in a picture. A fit matters only
// where both sides are wanted: otherwise the picture has the frame's shape.
func (s source) geometry(spec stillcast.PictureSpec) av.Geometry {
	picture := s.shown().fit(spec.Size)
	g := av.Geometry{Width: picture.width, Height: picture.height}
	if spec.Width <= 0 || spec.Height <= 0 {
		return g
	}
	switch fitOf(spec) {
	case stillcast.FitContain:
		g.Box = s.shown().inside(picture)
	case stillcast.FitCover:
		g.Crop = s.middle(picture)
	}
	return g
}

// inside returns where a picture of size s stands in a frame of size f without
// being cut: in its middle, as large as can be. It is zero where it fills the frame.
func (s size) inside(f size) av.Rect {
	x, y := 0, 0
	if s.width*f.height > s.height*f.width {
		y = margin(f.height, scaled(s.height, f.width, s.width))
	} else {
		x = margin(f.width, scaled(s.width, f.height, s.height))
	}
	return within(f, x, y)
}

// middle returns the part of the frame, in its own pixels, that fills a picture
// of size f in proportion. It is zero where that is all of it.
func (s source) middle(f size) av.Rect {
	shown, pixels := s.shown(), s.pixels()
	x, y := 0, 0
	if shown.width*f.height > shown.height*f.width {
		// The part's width is shown.height*f.width/f.height of shown.width pixels.
		x = margin(pixels.width, scaled(pixels.width, shown.height*f.width, f.height*shown.width))
	} else {
		y = margin(pixels.height, scaled(pixels.height, shown.width*f.height, f.width*shown.height))
	}
	return within(pixels, x, y)
}

// margin is what is left on each side of a part in the middle of a whole, rounded to the nearest even number: colour
// has half the resolution, and a margin stays even when the frame is turned.
func margin(whole, part int) int {
	return min((whole-part+2)/4*2, (whole-1)/2&^1)
}

// within is a frame less its margins; zero where there are none.
func within(f size, x, y int) av.Rect {
	if x <= 0 && y <= 0 {
		return av.Rect{}
	}
	return av.Rect{X: x, Y: y, Width: f.width - 2*x, Height: f.height - 2*y}
}
