package av

/*
#include <libavutil/pixdesc.h>
#include "picture.h"
*/
import "C"

import (
	"errors"
	"fmt"
)

// Picture is a picture of the wanted size in C memory, to be closed.
type Picture struct {
	picture *C.sc_picture
}

// Rect is a part of a picture, in pixels.
type Rect struct{ X, Y, Width, Height int }

// Geometry says what of a frame goes where in a picture.
type Geometry struct {
	Width, Height int  // of the picture, each 1 to [MaxSide] pixels
	Crop          Rect // what is shown of the frame, as displayed (turned); zero: all
	Box           Rect // where it stands in the picture, the rest is black; zero: everywhere
}

// orAll returns the part, or all of a picture where it is zero.
func (r Rect) orAll(width, height int) Rect {
	if r == (Rect{}) {
		return Rect{Width: width, Height: height}
	}
	return r
}

// isIn reports whether the part is one of a picture of a size.
func (r Rect) isIn(width, height int) bool {
	return r.X >= 0 && r.Y >= 0 && r.Width >= 1 && r.Height >= 1 && r.X <= width-r.Width && r.Y <= height-r.Height
}

func (r Rect) c() C.sc_rect {
	return C.sc_rect{x: C.int(r.X), y: C.int(r.Y), width: C.int(r.Width), height: C.int(r.Height)}
}

// Picture makes a picture of a frame, in 8-bit 4:2:0. The first one makes the
// frame ready: it is turned upright, of two fields the upper one is taken, samples of more
// than 8 bits are rounded, and high dynamic range is mapped to the standard one.
// From then on further pictures cost their scaling alone, and next to nothing where the size
// is the frame's. Errors are of type [*Error].
func (f *Frame) Picture(g Geometry) (*Picture, error) {
	doing := fmt.Sprintf("scale %dx%d to %dx%d", f.Width(), f.Height(), g.Width, g.Height)
	if g.Width < 1 || g.Height < 1 || g.Width > MaxSide || g.Height > MaxSide {
		return nil, &Error{Doing: doing, Kind: ErrTooLarge, Detail: fmt.Sprintf("each side of a JPEG has 1 to %d pixels", MaxSide)}
	}
	width, height := f.Width(), f.Height()
	if f.Turned() {
		width, height = height, width
	}
	crop, box := g.Crop.orAll(width, height), g.Box.orAll(g.Width, g.Height)
	if !crop.isIn(width, height) || !box.isIn(g.Width, g.Height) {
		return nil, &Error{Doing: doing, Kind: ErrUnsupported, Detail: fmt.Sprintf("%+v of %dx%d pixels does not fit into %+v", crop, width, height, box)}
	}
	if err := f.makeUpright(); err != nil {
		return nil, err
	}
	p := &Picture{}
	err := check(doing, C.sc_picture_make(&p.picture, f.upright, C.int(g.Width), C.int(g.Height), crop.c(), box.c()))
	if err != nil {
		if errors.Is(err, ErrUnsupported) {
			err.Detail = "a side of more than 32767 pixels can only be left as it is or be halved at least"
		}
		return nil, err
	}
	return p, nil
}

// makeUpright makes the frame ready for pictures, once.
func (f *Frame) makeUpright() error {
	if f.upright != nil {
		return nil
	}
	err := check("convert the picture", C.sc_upright_make(&f.upright, f.frame))
	if err == nil {
		return nil
	}
	if errors.Is(err, ErrUnsupported) {
		err.Detail = "there is no way from " + f.format() + " to JPEG"
	}
	return err
}

// format names pixel format and colour matrix in libav's words.
func (f *Frame) format() string {
	pixels := C.av_get_pix_fmt_name(int32(f.frame.format))
	matrix := C.av_color_space_name(f.frame.colorspace)
	name := func(s *C.char) string {
		if s == nil {
			return "unknown"
		}
		return C.GoString(s)
	}
	return fmt.Sprintf("pixel format %s with colour matrix %s", name(pixels), name(matrix))
}

// Close frees the picture. More calls do nothing.
func (p *Picture) Close() {
	C.sc_picture_free(p.picture)
	p.picture = nil
}
