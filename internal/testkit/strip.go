package testkit

import (
	"fmt"
	"image"
	"math"
	"time"
)

// Strip is what the strip at the top of each frame holds. The strip is the top
// eighth of the picture: two rows of 24 blocks, black for 0 and white for 1,
// the most significant bit on the left. The second row is the first one's
// opposite, so that no other picture is taken for a strip.
type Strip int

// What a strip can hold.
const (
	StripNone  Strip = iota // no strip is drawn
	StripFrame              // the number of frames before this one
	StripClock              // the wall clock when the frame was made, as tenths of a second; see StripTime
)

const (
	stripBits     = 24
	stripFraction = 8 // the strip's height is the picture's divided by this
	// stripContrast is how far from the middle a block's mean luma must be, of 128 possible.
	stripContrast = 40
)

// stripGraph draws the strip with one pixel for a block and enlarges that: an
// expression for each pixel of the whole strip would cost more than the encoder.
func (s Source) stripGraph() string {
	number := "N"
	if s.Strip == StripClock {
		number = "floor(10*time(0))"
	}
	height := max(2, s.Height/stripFraction/2*2)
	return fmt.Sprintf("color=c=black:size=%dx2:rate=%d,format=gray,geq=lum='255*abs(Y-mod(floor(%s/pow(2,%d-X)),2))',"+
		"scale=%d:%d:flags=neighbor,format=yuv420p", stripBits, s.Rate, number, stripBits-1, s.Width, height)
}

// ReadStrip reads the number that the strip of a [Source] put into a picture.
// The picture may have been encoded, scaled in any way and compressed as JPEG,
// but not cropped, turned or padded. ok is false when there is no strip or it
// cannot be read for certain.
func ReadStrip(img image.Image) (number int, ok bool) {
	for column := range stripBits {
		upper, certain := readBlock(img, column, 0)
		lower, certainToo := readBlock(img, column, 1)
		if !certain || !certainToo || upper == lower {
			return 0, false
		}
		number <<= 1
		if upper {
			number |= 1
		}
	}
	return number, true
}

// readBlock tells whether a block is white, by the mean of its middle: edges are blurred by scaling and coding.
func readBlock(img image.Image, column, row int) (white, certain bool) {
	size := img.Bounds().Size()
	width := float64(size.X) / stripBits
	height := float64(size.Y) / stripFraction / 2
	middle := image.Rect(
		int(width*(float64(column)+0.3)), int(height*(float64(row)+0.3)),
		int(math.Ceil(width*(float64(column)+0.7))), int(math.Ceil(height*(float64(row)+0.7))),
	).Add(img.Bounds().Min).Intersect(img.Bounds())
	if middle.Empty() {
		return false, false
	}
	mean := meanLuma(img, middle)
	return mean > 128, math.Abs(mean-128) >= stripContrast
}

func meanLuma(img image.Image, area image.Rectangle) float64 {
	sum := 0.0
	for y := area.Min.Y; y < area.Max.Y; y++ {
		for x := area.Min.X; x < area.Max.X; x++ {
			r, g, b, _ := img.At(x, y).RGBA()
			sum += (0.299*float64(r) + 0.587*float64(g) + 0.114*float64(b)) / 257
		}
	}
	return sum / float64(area.Dx()*area.Dy())
}

// StripTime turns a number that was read from a [StripClock] strip into the
// time when the frame was made, true to a tenth of a second. near is any time
// within nine days of it: the strip holds no more than that.
func StripTime(number int, near time.Time) time.Time {
	const period = 1 << stripBits
	whole := near.UnixMilli() / 100
	difference := (int64(number) - whole) % period
	switch {
	case difference > period/2:
		difference -= period
	case difference < -period/2:
		difference += period
	}
	return time.UnixMilli((whole + difference) * 100)
}
