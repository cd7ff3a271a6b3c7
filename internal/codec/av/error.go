package av

/*
#include <libavutil/error.h>
#include "fault.h"
*/
import "C"

import "errors"

// What can be wrong with an input. Tests are by errors.Is.
var (
	// ErrNoPicture says that the access units hold no whole picture.
	ErrNoPicture = errors.New("no picture")
	// ErrDamaged says that the access units break the codec's rules, or that
	// parts of the picture would be made up.
	ErrDamaged = errors.New("damaged")
	// ErrTooLarge says that the picture has more pixels than allowed, or needs
	// more memory than there is. So does a JPEG that libjpeg gives up.
	ErrTooLarge = errors.New("too large")
	// ErrUnsupported says that there is no decoder for the codec, or no way from
	// its pixels and colours to JPEG.
	ErrUnsupported = errors.New("unsupported")
)

// Error is a failure in C: what was being done, of which kind it is, and the
// library's own words.
type Error struct {
	Doing  string // verb phrase
	Kind   error  // one of the Err… variables
	Code   int    // libav's AVERROR code, 0 for a failure that it has none for
	Detail string // in av_strerror's or libjpeg's words; may be empty
}

// Error implements error.
func (e *Error) Error() string {
	text := e.Doing + ": " + e.Kind.Error()
	if e.Detail != "" {
		text += ": " + e.Detail
	}
	return text
}

// Unwrap returns the kind, for errors.Is.
func (e *Error) Unwrap() error { return e.Kind }

// check turns the result of a C function into an error, nil for success.
func check(doing string, code C.int) *Error {
	if code >= 0 {
		return nil
	}
	switch code {
	case C.SC_NO_PICTURE:
		return &Error{Doing: doing, Kind: ErrNoPicture, Detail: "the access units hold no whole picture"}
	case C.SC_DAMAGED:
		return &Error{Doing: doing, Kind: ErrDamaged, Detail: "parts of the picture are missing or broken"}
	case C.SC_TOO_LARGE:
		return &Error{Doing: doing, Kind: ErrTooLarge, Detail: "the picture has more pixels than allowed"}
	case C.SC_UNSUPPORTED:
		return &Error{Doing: doing, Kind: ErrUnsupported, Detail: "libavcodec has no decoder for it"}
	case C.SC_JPEG:
		return &Error{Doing: doing, Kind: ErrTooLarge}
	}
	return &Error{Doing: doing, Kind: kindOf(code), Code: int(code), Detail: describe(code)}
}

// kindOf sorts libav's own codes. Decoders answer bad input with many of them.
func kindOf(code C.int) error {
	switch code {
	case C.int(C.AVERROR_DECODER_NOT_FOUND), C.int(C.AVERROR_PATCHWELCOME):
		return ErrUnsupported
	case -C.ENOMEM:
		return ErrTooLarge
	}
	return ErrDamaged
}

func describe(code C.int) string {
	var text [C.AV_ERROR_MAX_STRING_SIZE]C.char
	C.av_strerror(code, &text[0], C.AV_ERROR_MAX_STRING_SIZE)
	return C.GoString(&text[0])
}
