package testkit

import (
	"image"
	"math"
	"strconv"
	"testing"
)

// ReferenceFrame is frame n of a source (the first is 0) as it is before any
// encoder: what a perfect shot of it shows. The pixels come from ffmpeg as they
// are and are turned into red, green and blue here, by the definition of the
// source's matrix and range and without any of the libraries that the program
// converts colours with.
func ReferenceFrame(t testing.TB, source Source, n int) image.Image {
	t.Helper()
	source = source.withDefaults()
	raw, err := runFFmpeg(t, "-f", "lavfi", "-i", source.Graph(),
		"-vf", "select=eq(n\\,"+strconv.Itoa(n)+")", "-frames:v", "1", "-pix_fmt", "yuv420p", "-f", "rawvideo", "pipe:1")
	if err != nil {
		t.Fatalf("rendering reference frame %d: %v", n, err)
	}
	chromaWidth, chromaHeight := (source.Width+1)/2, (source.Height+1)/2
	luma, chroma := source.Width*source.Height, chromaWidth*chromaHeight
	if len(raw) != luma+2*chroma {
		t.Fatalf("reference frame %d has %d bytes, wanted %d", n, len(raw), luma+2*chroma)
	}
	return source.toRGB(&image.YCbCr{
		Y: raw[:luma], Cb: raw[luma : luma+chroma], Cr: raw[luma+chroma:],
		YStride: source.Width, CStride: chromaWidth,
		SubsampleRatio: image.YCbCrSubsampleRatio420,
		Rect:           image.Rect(0, 0, source.Width, source.Height),
	})
}

// toRGB converts by ITU-R BT.601, BT.709 or BT.2020: kr and kb are the weights of red and blue in luma.
func (s Source) toRGB(yuv *image.YCbCr) *image.RGBA {
	kr, kb := s.Matrix.weights()
	kg := 1 - kr - kb
	black, lumaSpan, chromaSpan := 16.0, 219.0, 224.0
	if s.FullRange {
		black, lumaSpan, chromaSpan = 0, 255, 255
	}
	rgb := image.NewRGBA(yuv.Rect)
	for y := range yuv.Rect.Dy() {
		for x := range yuv.Rect.Dx() {
			at := yuv.COffset(x, y)
			luma := (float64(yuv.Y[yuv.YOffset(x, y)]) - black) / lumaSpan
			blue := luma + 2*(1-kb)*(float64(yuv.Cb[at])-128)/chromaSpan
			red := luma + 2*(1-kr)*(float64(yuv.Cr[at])-128)/chromaSpan
			green := (luma - kr*red - kb*blue) / kg
			pixel := rgb.Pix[rgb.PixOffset(x, y):]
			pixel[0], pixel[1], pixel[2], pixel[3] = toByte(red), toByte(green), toByte(blue), 255
		}
	}
	return rgb
}

func (m Matrix) weights() (red, blue float64) {
	switch m {
	case BT709:
		return 0.2126, 0.0722
	case BT2020:
		return 0.2627, 0.0593
	default:
		return 0.299, 0.114
	}
}

func toByte(v float64) byte { return byte(math.Round(255 * min(max(v, 0), 1))) }
