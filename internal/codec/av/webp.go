package av

/*
#cgo pkg-config: libwebp
#include <stdlib.h>
#include <webp/encode.h>
#include "webp.h"
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// MaxWebPSide is the largest width or height of a WebP in pixels (RFC 9649, 2.5).
const MaxWebPSide = C.WEBP_MAX_DIMENSION

// WebP encodes the picture as a lossy WebP, in WebP's colours whatever those of
// its stream are (BT.601, limited range). Quality is 1 to 100, others count as
// the nearest. Errors are of type [*Error].
func (p *Picture) WebP(quality int) ([]byte, error) {
	if width, height := int(p.picture.frame.width), int(p.picture.frame.height); max(width, height) > MaxWebPSide {
		return nil, &Error{
			Doing: "encode WebP", Kind: ErrTooLarge,
			Detail: fmt.Sprintf("the picture has %dx%d pixels, each side of a WebP has 1 to %d", width, height, MaxWebPSide),
		}
	}
	var out C.sc_webp
	code := C.sc_webp_encode(&out, p.picture, C.int(min(max(quality, 1), 100)))
	if code == C.SC_WEBP {
		return nil, &Error{Doing: "encode WebP", Kind: ErrTooLarge, Detail: C.GoString(out.message)}
	}
	if err := check("encode WebP", code); err != nil {
		return nil, err
	}
	defer C.free(unsafe.Pointer(out.bytes))
	return C.GoBytes(unsafe.Pointer(out.bytes), C.int(out.size)), nil
}
