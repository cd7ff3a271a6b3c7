package testkit

import (
	"bytes"
	"image"
	"image/draw"
	"image/jpeg"
	"math"
	"testing"
)

// DecodeJPEG decodes a JPEG by the standard library, which is none of the libraries that the program encodes with.
func DecodeJPEG(t testing.TB, data []byte) image.Image {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("decoding a JPEG of %d bytes: %v", len(data), err)
	}
	return img
}

// PSNR is the peak signal-to-noise ratio of two pictures in decibels, over red,
// green and blue: +Inf for equal ones, about 30 for a passable copy, above 40 for one that
// no eye tells from the original, under 15 for another picture. Pictures of different
// sizes have 0.
func PSNR(a, b image.Image) float64 {
	if a.Bounds().Size() != b.Bounds().Size() || a.Bounds().Empty() {
		return 0
	}
	squares, _ := differences(RGBA(a), RGBA(b))
	if squares == 0 {
		return math.Inf(1)
	}
	size := a.Bounds().Size()
	return 10 * math.Log10(255*255*float64(size.X*size.Y*3)/float64(squares))
}

// differences sums up the squares of what b has more than a, and that itself in red, green and blue. The race detector,
// which slows it down by ten times, leaves it alone.
//
//go:norace
func differences(a, b *image.RGBA) (squares int, sums [3]int) {
	for i := 0; i < len(a.Pix); i += 4 {
		for c := range 3 {
			d := int(b.Pix[i+c]) - int(a.Pix[i+c])
			squares += d * d
			sums[c] += d
		}
	}
	return squares, sums
}

// RGBA copies a picture, unless it is one already, into an opaque picture whose corner is at zero.
func RGBA(img image.Image) *image.RGBA {
	if ready, ok := img.(*image.RGBA); ok && ready.Rect.Min == (image.Point{}) && ready.Opaque() {
		return ready
	}
	out := image.NewRGBA(image.Rectangle{Max: img.Bounds().Size()})
	draw.Draw(out, out.Rect, image.Black, image.Point{}, draw.Src)
	draw.Draw(out, out.Rect, img, img.Bounds().Min, draw.Over)
	return out
}

// Bias is how much brighter or darker a picture is than its reference on
// average, in red, green and blue, of 255. Pictures of different sizes have NaN.
func Bias(reference, img image.Image) [3]float64 {
	if reference.Bounds().Size() != img.Bounds().Size() || img.Bounds().Empty() {
		return [3]float64{math.NaN(), math.NaN(), math.NaN()}
	}
	_, sums := differences(RGBA(reference), RGBA(img))
	count := float64(img.Bounds().Dx() * img.Bounds().Dy())
	return [3]float64{float64(sums[0]) / count, float64(sums[1]) / count, float64(sums[2]) / count}
}
