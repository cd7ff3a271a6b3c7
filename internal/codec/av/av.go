// Package av turns coded pictures into JPEGs by libavcodec, libswscale and
// libjpeg-turbo. It is all the C of the project, and no more of those libraries
// than a shot needs: decode access units, scale, convert colours, encode.
//
// Nothing here is safe against a decoder that crashes or hangs. Bytes from
// outside come here in a worker process only, see package codec.
package av

/*
#cgo pkg-config: libavcodec libavutil libswscale libjpeg
#cgo CFLAGS: -std=gnu11 -O3 -Wall
#cgo LDFLAGS: -lm
#include <stdlib.h>
#include <libavutil/pixdesc.h>
#include "decode.h"
#include "picture.h"
#include "jpeg.h"
*/
import "C"

import (
	"errors"
	"fmt"
	"math"
	"unsafe"

	"github.com/stillcast/stillcast/internal/media"
)

// MaxSide is the largest width or height of a JPEG in pixels: libjpeg's
// JPEG_MAX_DIMENSION, a little below what a JPEG can say (ITU-T T.81, B.2.2).
const MaxSide = 65500

// Setup tunes the memory allocator of C for short-lived decoders and silences
// libav's log. It is for the whole process: a worker calls it once, at its start.
func Setup() { C.sc_setup() }

// decoderID names libavcodec's decoder of a codec. Whatever is not listed is
// not decoded, be it a part of libavcodec or not.
func decoderID(c media.Codec) (C.enum_AVCodecID, bool) {
	if c == media.H264 {
		return C.AV_CODEC_ID_H264, true
	}
	return C.AV_CODEC_ID_NONE, false
}

// Supported reports whether [Decode] has a decoder for a codec.
func Supported(c media.Codec) bool {
	_, ok := decoderID(c)
	return ok
}

// Input is what one picture is decoded from.
type Input struct {
	Codec  media.Codec
	Record []byte   // decoder configuration, see media.Config
	Units  [][]byte // access units in decoding order, the first one a key frame, in the form of media.AccessUnit
}

// Frame is a decoded picture in C memory, to be closed.
type Frame struct {
	frame *C.AVFrame
}

// Decode decodes the units of an input and returns the picture of its only
// unit, or of several the last one to be shown. A picture of more than
// maxPixels pixels, before cropping, is refused before memory is spent on it.
//
// Errors are of type [*Error] and answer errors.Is with [ErrUnsupported],
// [ErrTooLarge], [ErrDamaged] or [ErrNoPicture].
func Decode(in Input, maxPixels int) (*Frame, error) {
	id, ok := decoderID(in.Codec)
	if !ok {
		return nil, &Error{Doing: "decode " + in.Codec.String(), Kind: ErrUnsupported, Detail: "the codec is not supported"}
	}
	if len(in.Units) == 0 {
		return nil, &Error{Doing: "decode " + in.Codec.String(), Kind: ErrNoPicture, Detail: "no access unit was given"}
	}
	var keepLast C.int
	if len(in.Units) > 1 {
		keepLast = 1
	}
	var decoder *C.sc_decoder
	if err := check("open the decoder of "+in.Codec.String(), C.sc_decoder_open(&decoder, id, C.int64_t(maxPixels), keepLast)); err != nil {
		return nil, err
	}
	defer C.sc_decoder_close(decoder)
	return run(decoder, in)
}

func run(decoder *C.sc_decoder, in Input) (*Frame, error) {
	record, size, err := bytesOf(in.Record)
	if err != nil {
		return nil, err
	}
	if err := check("configure the decoder of "+in.Codec.String(), C.sc_decoder_start(decoder, record, size)); err != nil {
		return nil, err
	}
	for _, unit := range in.Units {
		data, size, err := bytesOf(unit)
		if err != nil {
			return nil, err
		}
		// An empty packet would be the end of the stream.
		if size == 0 {
			return nil, &Error{Doing: "decode " + in.Codec.String(), Kind: ErrDamaged, Detail: "an access unit is empty"}
		}
		if err := check("decode "+in.Codec.String(), C.sc_decoder_send(decoder, data, size)); err != nil {
			return nil, err
		}
	}
	var frame *C.AVFrame
	if err := check("decode "+in.Codec.String(), C.sc_decoder_finish(decoder, &frame)); err != nil {
		return nil, err
	}
	return &Frame{frame: frame}, nil
}

// bytesOf returns b for C, which must not keep it.
func bytesOf(b []byte) (*C.uint8_t, C.int, error) {
	if len(b) > math.MaxInt32-C.AV_INPUT_BUFFER_PADDING_SIZE {
		return nil, 0, &Error{Doing: "decode", Kind: ErrTooLarge, Detail: fmt.Sprintf("an access unit has %d bytes", len(b))}
	}
	return (*C.uint8_t)(unsafe.SliceData(b)), C.int(len(b)), nil
}

// Width returns the width in pixels, after cropping.
func (f *Frame) Width() int { return int(f.frame.width) }

// Height returns the height in pixels, after cropping.
func (f *Frame) Height() int { return int(f.frame.height) }

// SampleAspect returns the width of a pixel in proportion to its height as a
// fraction; 0/1 where the stream does not say it.
func (f *Frame) SampleAspect() (num, den int) {
	ratio := f.frame.sample_aspect_ratio
	return int(ratio.num), int(ratio.den)
}

// Close frees the frame. More calls do nothing.
func (f *Frame) Close() { C.av_frame_free(&f.frame) }

// Picture is a picture of the wanted size in C memory, to be closed.
type Picture struct {
	picture *C.sc_picture
}

// Scale brings a frame to a size, each side 1 to [MaxSide] pixels, and to 8-bit
// 4:2:0. An interlaced frame becomes its upper field. It costs next to nothing
// where nothing is to be done. Errors are of type [*Error].
func (f *Frame) Scale(width, height int) (*Picture, error) {
	doing := fmt.Sprintf("scale %dx%d to %dx%d", f.Width(), f.Height(), width, height)
	if width < 1 || height < 1 || width > MaxSide || height > MaxSide {
		return nil, &Error{Doing: doing, Kind: ErrTooLarge, Detail: fmt.Sprintf("each side of a JPEG has 1 to %d pixels", MaxSide)}
	}
	p := &Picture{}
	err := check(doing, C.sc_picture_make(&p.picture, f.frame, C.int(width), C.int(height)))
	if err != nil {
		if errors.Is(err, ErrUnsupported) {
			err.Detail = "there is no way from " + f.format() + " to a JPEG of that size"
		}
		return nil, err
	}
	return p, nil
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

// JPEG encodes the picture, in JPEG's colours whatever those of its stream are
// (JFIF 1.02: BT.601, full range), baseline, 4:2:0. Quality is 1 to 100, others count as the
// nearest. Errors are of type [*Error].
func (p *Picture) JPEG(quality int) ([]byte, error) {
	var out C.sc_jpeg
	err := check("encode JPEG", C.sc_jpeg_encode(&out, p.picture, C.int(min(max(quality, 1), 100))))
	if err != nil {
		if message := C.GoString(&out.message[0]); message != "" {
			err.Detail = message
		}
		return nil, err
	}
	defer C.free(unsafe.Pointer(out.bytes))
	return C.GoBytes(unsafe.Pointer(out.bytes), C.int(out.size)), nil
}
