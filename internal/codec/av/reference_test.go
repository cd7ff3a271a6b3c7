package av_test

import (
	"encoding/binary"
	"image"
	"math"
	"testing"

	"github.com/stillcast/stillcast/internal/codec/codectest"
)

// layout is how ffmpeg lays a picture's samples out: planes of luma, Cb and Cr.
type layout struct {
	name           string // of ffmpeg's pixel format
	shiftX, shiftY int    // log2 of how much smaller chroma is
	depth          int
	grey           bool
}

func layouts() []layout {
	return []layout{
		{"yuv420p", 1, 1, 8, false},
		{"yuv422p", 1, 0, 8, false},
		{"yuv444p", 0, 0, 8, false},
		{"yuv440p", 0, 1, 8, false},
		{"yuv420p10le", 1, 1, 10, false},
		{"yuv422p10le", 1, 0, 10, false},
		{"yuv444p10le", 0, 0, 10, false},
		{"yuv420p12le", 1, 1, 12, false},
		{"yuv422p12le", 1, 0, 12, false},
		{"yuv444p12le", 0, 0, 12, false},
		{"yuv440p10le", 0, 1, 10, false},
		{"gray", 0, 0, 8, true},
		{"gray10le", 0, 0, 10, true},
		{"gray12le", 0, 0, 12, true},
		{"yuvj420p", 1, 1, 8, false},
	}
}

func layoutOf(t *testing.T, name string) layout {
	t.Helper()
	for _, l := range layouts() {
		if l.name == name {
			return l
		}
	}
	t.Fatalf("no layout is known for the pixel format %q", name)
	return layout{}
}

// planes are the samples of a picture.
type planes struct {
	layout
	width, height int
	samples       [3][]float64
}

func (p *planes) size(plane int) (width, height int) {
	if plane == 0 {
		return p.width, p.height
	}
	return (p.width + 1<<p.shiftX - 1) >> p.shiftX, (p.height + 1<<p.shiftY - 1) >> p.shiftY
}

// planesOf reads a picture of a clip as ffmpeg decodes it.
func planesOf(t *testing.T, clip codectest.Clip, width, height int, l layout) *planes {
	t.Helper()
	raw := clip.Raw(t, 0, l.name)
	p := &planes{layout: l, width: width, height: height}
	for i := range p.samples {
		if i > 0 && l.grey {
			break
		}
		w, h := p.size(i)
		for range w * h {
			if l.depth > 8 {
				p.samples[i] = append(p.samples[i], float64(binary.LittleEndian.Uint16(raw)))
				raw = raw[2:]
			} else {
				p.samples[i] = append(p.samples[i], float64(raw[0]))
				raw = raw[1:]
			}
		}
	}
	if len(raw) != 0 {
		t.Fatalf("%d bytes are left of a picture of %dx%d in %s", len(raw), width, height, l.name)
	}
	return p
}

// at returns luma of 0 to 1, and chroma of -1/2 to 1/2 (ITU-T H.273, 8.3). Chroma is repeated as the standard library's
// JPEG decoder does it.
func (p *planes) at(x, y int, full bool) (luma, cb, cr float64) {
	one := math.Exp2(float64(p.depth - 8))
	black, lumaSpan, chromaSpan := 16*one, 219*one, 224*one
	if full {
		black, lumaSpan = 0, math.Exp2(float64(p.depth))-1
		chromaSpan = lumaSpan
	}
	luma = (p.samples[0][y*p.width+x] - black) / lumaSpan
	if p.grey {
		return luma, 0, 0
	}
	width, _ := p.size(1)
	i := (y>>p.shiftY)*width + x>>p.shiftX
	return luma, (p.samples[1][i] - 128*one) / chromaSpan, (p.samples[2][i] - 128*one) / chromaSpan
}

// weights are those of red and blue in luma, by ffmpeg's names of the matrices.
func weights(matrix string) (red, blue float64) {
	switch matrix {
	case "bt709":
		return 0.2126, 0.0722
	case "bt2020", "bt2020nc":
		return 0.2627, 0.0593
	case "smpte240m":
		return 0.212, 0.087
	case "fcc":
		return 0.30, 0.11
	}
	return 0.299, 0.114
}

// toRGB converts in double precision, by the definition.
func toRGB(luma, cb, cr float64, matrix string) (red, green, blue float64) {
	kr, kb := weights(matrix)
	red, blue = luma+2*(1-kr)*cr, luma+2*(1-kb)*cb
	return red, (luma - kr*red - kb*blue) / (1 - kr - kb), blue
}

// rgb is the picture as it must be seen.
func (p *planes) rgb(matrix string, full bool) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, p.width, p.height))
	for y := range p.height {
		for x := range p.width {
			luma, cb, cr := p.at(x, y, full)
			red, green, blue := toRGB(luma, cb, cr, matrix)
			setRGB(img, x, y, red, green, blue)
		}
	}
	return img
}

func setRGB(img *image.RGBA, x, y int, red, green, blue float64) {
	pixel := img.Pix[img.PixOffset(x, y):]
	for i, v := range [3]float64{red, green, blue} {
		pixel[i] = byte(math.Round(255 * min(max(v, 0), 1)))
	}
	pixel[3] = 255
}
