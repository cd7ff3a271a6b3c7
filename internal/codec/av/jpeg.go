package av

/*
#include <stdlib.h>
#include "jpeg.h"
*/
import "C"

import "unsafe"

// JPEGOptions say how a JPEG is made.
type JPEGOptions struct {
	Quality     int  // 1 to 100, others count as the nearest
	Progressive bool // coarse first, in a tenth less bytes and several times the time
}

// JPEG encodes the picture, in JPEG's colours whatever those of its stream are
// (JFIF 1.02: BT.601, full range), 4:2:0. Errors are of type [*Error].
func (p *Picture) JPEG(o JPEGOptions) ([]byte, error) {
	var progressive C.int
	if o.Progressive {
		progressive = 1
	}
	var out C.sc_jpeg
	err := check("encode JPEG", C.sc_jpeg_encode(&out, p.picture, C.int(min(max(o.Quality, 1), 100)), progressive))
	if err != nil {
		if message := C.GoString(&out.message[0]); message != "" {
			err.Detail = message
		}
		return nil, err
	}
	defer C.free(unsafe.Pointer(out.bytes))
	return C.GoBytes(unsafe.Pointer(out.bytes), C.int(out.size)), nil
}
