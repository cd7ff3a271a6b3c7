package testkit

import (
	"encoding/binary"
	"image"
	"math"
)

// Chroma is how often colour is sampled, by ffmpeg's names.
type Chroma string

// The chroma formats. The zero value is 4:2:0.
const (
	Chroma420  Chroma = "420"
	Chroma422  Chroma = "422"
	Chroma444  Chroma = "444"
	ChromaNone Chroma = "gray"
	ChromaRGB  Chroma = "rgb" // red, green and blue in full range, no matrix
)

// Coding says how the colours of a [Scene] become samples. The zero value is
// BT.709 in limited range, 8 bit, 4:2:0.
type Coding struct {
	Matrix    Matrix // empty means BT709
	FullRange bool
	Depth     int    // bits of a sample; 0 means 8
	Chroma    Chroma // empty means Chroma420
	// Curve is empty for the usual one, or that of high dynamic range.
	Curve Curve
}

func (c Coding) withDefaults() Coding {
	if c.Matrix == "" {
		c.Matrix = BT709
	}
	if c.Depth == 0 {
		c.Depth = 8
	}
	if c.Chroma == "" {
		c.Chroma = Chroma420
	}
	return c
}

// pixelFormat is ffmpeg's name for planes of such samples.
func (c Coding) pixelFormat() string {
	name := "yuv" + string(c.Chroma) + "p"
	switch c.Chroma {
	case ChromaNone:
		name = "gray"
	case ChromaRGB:
		name = "gbrp"
	}
	switch c.Depth {
	case 10:
		return name + "10le"
	case 12:
		return name + "12le"
	}
	return name
}

// steps are the pixels of one sample of colour.
func (c Coding) steps() (horizontal, vertical int) {
	switch c.Chroma {
	case Chroma420:
		return 2, 2
	case Chroma422:
		return 2, 1
	default:
		return 1, 1
	}
}

// samples are those of one frame, each row by row: Y', Cb and Cr, or green, blue and red.
type samples struct {
	coding        Coding
	width, height int
	planes        [3][]uint16
}

func newSamples(c Coding, width, height int) *samples {
	s := &samples{coding: c, width: width, height: height}
	s.planes[0] = make([]uint16, width*height)
	if c.Chroma != ChromaNone {
		dx, dy := c.steps()
		size := (width + dx - 1) / dx * ((height + dy - 1) / dy)
		s.planes[1], s.planes[2] = make([]uint16, size), make([]uint16, size)
	}
	return s
}

// draw codes an area of frame n. Its corners must lie on whole samples of colour, and of both fields where there are two.
func (s *samples) draw(p *painting, n int, area image.Rectangle) {
	area = area.Intersect(image.Rect(0, 0, s.width, s.height))
	if s.coding.Chroma == ChromaRGB {
		s.drawRGB(p, n, area)
		return
	}
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			s.planes[0][y*s.width+x] = s.coding.luma(s.coding.signal(p.at(n, x, y)))
		}
	}
	if s.coding.Chroma == ChromaNone {
		return
	}
	dx, dy := s.coding.steps()
	stride := (s.width + dx - 1) / dx
	for y := area.Min.Y / dy; y < (area.Max.Y+dy-1)/dy; y++ {
		rows := s.rows(y, p.Interlaced)
		for x := area.Min.X / dx; x < (area.Max.X+dx-1)/dx; x++ {
			mean := s.mean(p, n, image.Rect(x*dx, 0, min((x+1)*dx, s.width), 0), rows)
			s.planes[1][y*stride+x], s.planes[2][y*stride+x] = s.coding.chroma(mean)
		}
	}
}

func (s *samples) drawRGB(p *painting, n int, area image.Rectangle) {
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			color, at := p.at(n, x, y), y*s.width+x
			for i, c := range [3]int{1, 2, 0} {
				s.planes[i][at] = s.coding.clip(color[c] * s.coding.top())
			}
		}
	}
}

// rows are those of luma that row y of colour belongs to. In a frame of two fields they are of the same one.
func (s *samples) rows(y int, interlaced bool) []int {
	_, dy := s.coding.steps()
	first, step := y*dy, 1
	if interlaced && dy == 2 {
		first, step = y/2*4+y%2, 2
	}
	if dy == 1 || first+step >= s.height {
		return []int{min(first, s.height-1)}
	}
	return []int{first, first + step}
}

func (s *samples) mean(p *painting, n int, columns image.Rectangle, rows []int) rgb {
	var sum rgb
	for _, y := range rows {
		for x := columns.Min.X; x < columns.Max.X; x++ {
			c := s.coding.signal(p.at(n, x, y))
			sum[0], sum[1], sum[2] = sum[0]+c[0], sum[1]+c[1], sum[2]+c[2]
		}
	}
	count := float64(len(rows) * columns.Dx())
	return rgb{sum[0] / count, sum[1] / count, sum[2] / count}
}

// luma and chroma quantise by ITU-T H.273, equations 20 to 31.
func (c Coding) luma(color rgb) uint16 {
	kr, kb := c.Matrix.weights()
	y := kr*color[0] + (1-kr-kb)*color[1] + kb*color[2]
	if c.FullRange {
		return c.clip(y * c.top())
	}
	return c.clip((16 + 219*y) * c.scale())
}

func (c Coding) chroma(color rgb) (cb, cr uint16) {
	kr, kb := c.Matrix.weights()
	y := kr*color[0] + (1-kr-kb)*color[1] + kb*color[2]
	blue, red := (color[2]-y)/(2*(1-kb)), (color[0]-y)/(2*(1-kr))
	span := 224 * c.scale()
	if c.FullRange {
		span = c.top()
	}
	middle := 128 * c.scale()
	return c.clip(middle + span*blue), c.clip(middle + span*red)
}

func (c Coding) top() float64   { return float64(int(1)<<c.Depth - 1) }
func (c Coding) scale() float64 { return float64(int(1) << (c.Depth - 8)) }

func (c Coding) clip(v float64) uint16 { return uint16(math.Round(min(max(v, 0), c.top()))) }

// appendTo appends the samples as ffmpeg's raw video has them.
func (s *samples) appendTo(out []byte) []byte {
	for _, plane := range s.planes {
		for _, v := range plane {
			if s.coding.Depth > 8 {
				out = binary.LittleEndian.AppendUint16(out, v)
			} else {
				out = append(out, byte(v)) //nolint:gosec // it has 8 bits
			}
		}
	}
	return out
}
