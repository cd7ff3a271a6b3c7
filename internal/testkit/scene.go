package testkit

import (
	"image"
	"math"
)

// Pattern is what a [Scene] shows.
type Pattern int

// The patterns. All change colour on even pixels only, or slowly, so that coding colour at half the resolution
// loses (next to) nothing of them.
const (
	PatternBars   Pattern = iota // eight bars of full and of three quarters strength, and steps of grey
	PatternPhoto                 // like a photograph: soft colours under fine grey texture
	PatternSmooth                // soft colours without texture: it survives being scaled
)

// Scene is a picture source that is computed here, in red, green and blue, and
// so the reference of a picture whatever the colours were coded in. Frame n has
// the strip that [ReadStrip] reads with the number n, and a box that moves.
type Scene struct {
	Width, Height int
	Pattern       Pattern
	// Interlaced makes odd rows half a frame younger than even ones.
	Interlaced bool
	// NoBox leaves out the box: only the strip changes.
	NoBox bool
}

// rgb is a colour, each part from 0 to 1.
type rgb [3]float64

// boxColor is that of the box. No part of it is at the end of its range, where errors would hide.
func boxColor() rgb { return rgb{0.75, 0.3, 0.2} }

// painting is a scene with its unmoving part painted.
type painting struct {
	Scene
	still []float32 // red, green and blue of each pixel, row by row
	empty bool      // without strip and box
}

// paint paints the unmoving part; see copyStill.
//
//go:norace
func (s Scene) paint() *painting {
	p := &painting{Scene: s, still: make([]float32, 3*s.Width*s.Height)}
	columns := s.waves()
	for y := range s.Height {
		color := s.bars(y)
		if s.Pattern != PatternBars {
			color = s.soft(y, columns)
		}
		for x := range s.Width {
			c := color(x)
			at := p.still[3*(y*s.Width+x):]
			at[0], at[1], at[2] = float32(c[0]), float32(c[1]), float32(c[2])
		}
	}
	return p
}

func (s Scene) bars(y int) func(x int) rgb {
	strength := 1.0
	switch 4 * (y &^ 3) / s.Height {
	case 2:
		strength = 0.75
	case 3:
		return func(x int) rgb {
			grey := float64(16*(x&^1)/s.Width) / 15
			return rgb{grey, grey, grey}
		}
	}
	return func(x int) rgb {
		bar := 7 - 8*(x&^1)/s.Width
		return rgb{strength * float64(bar>>1&1), strength * float64(bar>>2&1), strength * float64(bar&1)}
	}
}

// wave is what the soft colours have of a column.
type wave struct{ slow, other, fast float64 }

func (s Scene) waves() []wave {
	all := make([]wave, s.Width)
	for x := range all {
		u := (float64(x) + 0.5) / float64(s.Width)
		all[x] = wave{slow: math.Sin(2.5*u + 0.3), other: math.Cos(2.8 * u), fast: math.Sin(95 * u)}
	}
	return all
}

// soft are colours that change by less than half of 1/255 from pixel to pixel in a picture of 640 pixels, and do not leave
// the range that they have.
func (s Scene) soft(y int, columns []wave) func(x int) rgb {
	v := (float64(y) + 0.5) / float64(s.Height)
	across, down, fine := math.Cos(math.Pi*v), math.Sin(2.2*v+0.4), 0.08*math.Sin(71*v)
	return func(x int) rgb {
		c := columns[x]
		grey := 0.5 + 0.05*c.slow*down
		if s.Pattern == PatternPhoto {
			grey += fine*c.fast + 0.06*(noise(x, y)-0.5)
		}
		return rgb{grey + 0.3*c.slow*across, grey - 0.25*across, grey + 0.3*c.other*down}
	}
}

// noise is a number from 0 to 1 for each pixel (the finaliser of MurmurHash3).
func noise(x, y int) float64 {
	h := uint32(x)*0x9E3779B1 ^ uint32(y)*0x85EBCA77 //nolint:gosec // the wrap is wanted
	h = (h ^ h>>16) * 0x85EBCA6B
	h = (h ^ h>>13) * 0xC2B2AE35
	return float64(h^h>>16) / (1 << 32)
}

// strip is where the strip stands, and box where the box does in frame n; the rest never changes. Rows of an
// interlaced box have another one each, so it is as wide as both.
func (s Scene) strip() image.Rectangle {
	return image.Rect(0, 0, s.Width, max(2, s.Height/stripFraction/2*2))
}

func (s Scene) box(n int) image.Rectangle {
	if s.NoBox {
		return image.Rectangle{}
	}
	width := max(4, s.Width/8&^3)
	x := (4 * n) % max(2, s.Width-width-4) &^ 1
	if s.Interlaced {
		return image.Rect(x, s.strip().Max.Y&^3+4, x+width+interlacedStep, s.Height)
	}
	return image.Rect(x, s.Height*5/8&^3, x+width, s.Height*7/8&^3)
}

// interlacedStep is how far the box is further in the odd rows.
const interlacedStep = 8

// inBox tells whether a pixel of a box that box returned is really the box's.
func (s Scene) inBox(box image.Rectangle, x, y int) bool {
	if !image.Pt(x, y).In(box) {
		return false
	}
	if s.Interlaced && y&1 == 1 {
		return x >= box.Min.X+interlacedStep
	}
	return !s.Interlaced || x < box.Max.X-interlacedStep
}

// at is the colour of a pixel in frame n.
func (p *painting) at(n, x, y int) rgb {
	c := p.still[3*(y*p.Width+x):]
	still := rgb{float64(c[0]), float64(c[1]), float64(c[2])}
	if p.empty {
		return still
	}
	if strip := p.strip(); y < strip.Max.Y {
		bit := n >> (stripBits - 1 - x*stripBits/p.Width) & 1
		if lower := y*2 >= strip.Max.Y; lower {
			bit ^= 1
		}
		return rgb{float64(bit), float64(bit), float64(bit)}
	}
	if p.inBox(p.box(n), x, y) {
		return boxColor()
	}
	return still
}

// Frame is frame n as a perfect picture shows it. Of an interlaced scene that
// is the field of the even rows, at full height, which no encoder has seen.
func (s Scene) Frame(n int) *image.RGBA {
	p := s.paint()
	img := image.NewRGBA(image.Rect(0, 0, s.Width, s.Height))
	p.copyStill(img)
	for _, area := range []image.Rectangle{s.strip(), s.box(n).Intersect(img.Rect)} {
		for y := area.Min.Y; y < area.Max.Y; y++ {
			row := y
			if s.Interlaced && y >= s.strip().Max.Y {
				row = y &^ 1 // whose box it is; the rest hardly changes from row to row
			}
			for x := area.Min.X; x < area.Max.X; x++ {
				c := p.at(n, x, row)
				pixel := img.Pix[img.PixOffset(x, y):]
				pixel[0], pixel[1], pixel[2] = toByte(c[0]), toByte(c[1]), toByte(c[2])
			}
		}
	}
	return img
}

// copyStill is left alone by the race detector, which slows large pictures down by ten times.
//
//go:norace
func (p *painting) copyStill(img *image.RGBA) {
	for i, j := 0, 0; i < len(p.still); i, j = i+3, j+4 {
		for c := range 3 {
			img.Pix[j+c] = byte(p.still[i+c]*255 + 0.5)
		}
		img.Pix[j+3] = 255
	}
}

// String names the pattern for people.
func (p Pattern) String() string { return [...]string{"bars", "photo", "soft colours"}[p] }
