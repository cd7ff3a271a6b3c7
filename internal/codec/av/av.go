// Package av turns coded pictures into JPEGs by libavcodec, libyuv and
// libjpeg-turbo. It is all the C of the project, and no more of those libraries
// than a shot needs: decode access units, scale, convert colours, encode.
//
// Nothing here is safe against a decoder that crashes or hangs. Bytes from
// outside come here in a worker process only, see package codec.
package av

/*
#cgo pkg-config: libavcodec libavutil libjpeg
#cgo CFLAGS: -std=gnu11 -O3 -Wall
#cgo LDFLAGS: -lyuv -lm
#include <stdlib.h>
#include "decode.h"
#include "frame.h"
#include "upright.h"
*/
import "C"

import (
	"fmt"
	"math"
	"sync"
	"unsafe"

	"github.com/stillcast/stillcast/internal/media"
)

// MaxSide is the largest width or height of a JPEG in pixels: libjpeg's
// JPEG_MAX_DIMENSION, a little below what a JPEG can say (ITU-T T.81, B.2.2).
const MaxSide = 65500

// Setup tunes the memory allocator of C for short-lived decoders and silences
// libav's log. It is for the whole process: a worker calls it once, at its start.
func Setup() { C.sc_setup() }

// decoders names libavcodec's decoders of a codec, the preferred one first. All of them work without
// hardware. Whatever is not listed is not decoded, be it a part of libavcodec or not.
func decoders(c media.Codec) []string {
	switch c {
	case media.H264:
		return []string{"h264"}
	case media.HEVC:
		return []string{"hevc"}
	case media.AV1:
		return []string{"libdav1d", "libaom-av1", "libaom"}
	case media.VP9:
		return []string{"vp9", "libvpx-vp9"}
	case media.VP8:
		return []string{"vp8", "libvpx"}
	}
	return nil
}

// decoder returns the decoder of a codec, nil if there is none. libavcodec compares the names of all that it has, so each is
// looked up once.
func decoder(c media.Codec) *C.AVCodec {
	known, ok := found.Load(c)
	if !ok {
		known, _ = found.LoadOrStore(c, lookUp(c))
	}
	codec, _ := known.(*C.AVCodec)
	return codec
}

// found holds what lookUp returned; it does not change while the program runs.
var found sync.Map //nolint:gochecknoglobals // constants, made when they are asked for

func lookUp(c media.Codec) *C.AVCodec {
	for _, name := range decoders(c) {
		text := C.CString(name)
		codec := C.avcodec_find_decoder_by_name(text)
		C.free(unsafe.Pointer(text))
		if codec != nil {
			return codec
		}
	}
	return nil
}

// Supported reports whether [Decode] has a decoder for a codec.
func Supported(c media.Codec) bool { return decoder(c) != nil }

// Input is what one picture is decoded from.
type Input struct {
	Codec  media.Codec
	Record []byte   // decoder configuration, see media.Config; may be empty where the units say it all
	Units  [][]byte // access units in decoding order, the first one a key frame, in the form of media.AccessUnit
	// First asks for the first picture that the decoder gives, for streams whose
	// decoding cannot start at a key frame; otherwise the picture is that of the last unit.
	First bool
}

// Frame is a decoded picture in C memory, to be closed.
type Frame struct {
	frame   *C.AVFrame
	upright *C.sc_upright // made for the first picture
}

// Decode decodes the units of an input and returns the picture of the last of
// them, or the first that comes out where the input asks for that. A picture of
// more than maxPixels pixels, before cropping, is refused before memory is spent on it.
//
// Errors are of type [*Error] and answer errors.Is with [ErrUnsupported],
// [ErrTooLarge], [ErrDamaged] or [ErrNoPicture].
func Decode(in Input, maxPixels int) (*Frame, error) {
	codec := decoder(in.Codec)
	if codec == nil {
		return nil, &Error{Doing: "decode " + in.Codec.String(), Kind: ErrUnsupported, Detail: "the codec is not supported"}
	}
	if len(in.Units) == 0 {
		return nil, &Error{Doing: "decode " + in.Codec.String(), Kind: ErrNoPicture, Detail: "no access unit was given"}
	}
	wanted := C.int64_t(len(in.Units) - 1)
	if in.First {
		wanted = C.SC_FIRST
	}
	var decoder *C.sc_decoder
	if err := check("open the decoder of "+in.Codec.String(), C.sc_decoder_open(&decoder, codec, C.int64_t(maxPixels), wanted)); err != nil {
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
	// Set first: the other codecs put what their own bytes say in its place.
	primaries, transfer := recordColours(in)
	decoder.context.color_primaries, decoder.context.color_trc = primaries, transfer
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
		code := C.sc_decoder_send(decoder, data, size)
		if err := check("decode "+in.Codec.String(), code); err != nil {
			return nil, err
		}
		if code > 0 {
			break
		}
	}
	var frame *C.AVFrame
	if err := check("decode "+in.Codec.String(), C.sc_decoder_finish(decoder, &frame)); err != nil {
		return nil, err
	}
	return &Frame{frame: frame}, nil
}

// recordColours reads the colour primaries and the transfer characteristics (ITU-T H.273) of a vpcC record: VP9
// itself does not say them (VP Codec ISO Media File Format Binding 1.0).
func recordColours(in Input) (primaries, transfer uint32) {
	const versionSize, primariesAt, transferAt, least = 4, 3, 4, 8
	b := in.Record
	if len(b) >= versionSize+least && b[0] == 1 { // the version and flags of the box were left in it
		b = b[versionSize:]
	}
	if in.Codec != media.VP9 || len(b) < least {
		return C.AVCOL_PRI_UNSPECIFIED, C.AVCOL_TRC_UNSPECIFIED
	}
	return uint32(b[primariesAt]), uint32(b[transferAt])
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

// Turned reports whether the stream's display matrix turns the frame by 90 or
// 270 degrees, so that width and height change places.
func (f *Frame) Turned() bool { return C.sc_frame_is_turned(f.frame) != 0 }

// Close frees the frame. More calls do nothing.
func (f *Frame) Close() {
	C.sc_upright_free(f.upright)
	f.upright = nil
	C.av_frame_free(&f.frame)
}
