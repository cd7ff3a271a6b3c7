package codec

import (
	"fmt"

	"github.com/stillcast/stillcast"
	"github.com/stillcast/stillcast/internal/codec/av"
)

// size is that of a picture in pixels.
type size struct {
	width, height int
}

func (s size) String() string { return fmt.Sprintf("%dx%d", s.width, s.height) }

// turned is a size after a turn by a right angle.
func (s size) turned() size { return size{width: s.height, height: s.width} }

// maxSampleAspect is the most by which a pixel may be wider than high, or higher than wide. Screens know
// ratios from 1:2 to 2:1; what is far beyond is a fault of the encoder and not followed.
const maxSampleAspect = 8

// display returns the size at which a picture of the coded size s is shown, of
// square pixels: the height stays, the width follows the sample aspect ratio
// num/den (ITU-T H.264, E.2.1; 0 means that it is unknown).
func (s size) display(num, den int) size {
	if num <= 0 || den <= 0 || num > den*maxSampleAspect || den > num*maxSampleAspect {
		return s
	}
	return size{width: scaled(s.width, num, den), height: s.height}
}

// fit returns the size of the picture of a source of size s by the rules of
// Tencent Cloud CSS ("Live Screenshot"): where one side is wanted the other
// follows the source's shape, where both are wanted the picture has just them, except
// that they are swapped where one is upright and the other is not. 0 is a side that is not wanted.
func (s size) fit(wanted stillcast.Size) size {
	switch w, h := wanted.Width, wanted.Height; {
	case w <= 0 && h <= 0:
		return s
	case h <= 0:
		return size{width: w, height: scaled(s.height, w, s.width)}
	case w <= 0:
		return size{width: scaled(s.width, h, s.height), height: h}
	case (w < h && s.width > s.height) || (w > h && s.width < s.height):
		return size{width: h, height: w}
	default:
		return size{width: w, height: h}
	}
}

// maxSide is the largest width or height of a picture in a format.
func maxSide(format stillcast.Format) int {
	if format == stillcast.FormatWebP {
		return av.MaxWebPSide
	}
	return av.MaxSide
}

// check reports why a picture of that size cannot be made in a format.
func (s size) check(format stillcast.Format, maxPixels int) error {
	side := maxSide(format)
	if s.width > side || s.height > side || s.width*s.height > maxPixels {
		return fmt.Errorf("%w: a %s picture of %s pixels; at most %d pixels and %d on each side are allowed", ErrTooLarge, format, s, maxPixels, side)
	}
	return nil
}

// scaled returns value*num/den rounded to the nearest whole number, at least 1.
func scaled(value, num, den int) int {
	return max(1, (value*num+den/2)/den)
}
