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
	left, right := toRGBA(a), toRGBA(b)
	sum := 0.0
	for i := range left.Pix {
		d := float64(left.Pix[i]) - float64(right.Pix[i]) // Alpha is 255 in both.
		sum += d * d
	}
	if sum == 0 {
		return math.Inf(1)
	}
	mean := sum / float64(len(left.Pix)/4*3)
	return 10 * math.Log10(255*255/mean)
}

// toRGBA copies a picture onto an opaque one whose corner is at zero.
func toRGBA(img image.Image) *image.RGBA {
	out := image.NewRGBA(image.Rectangle{Max: img.Bounds().Size()})
	draw.Draw(out, out.Rect, image.Black, image.Point{}, draw.Src)
	draw.Draw(out, out.Rect, img, img.Bounds().Min, draw.Over)
	return out
}
