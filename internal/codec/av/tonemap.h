#ifndef STILLCAST_TONEMAP_H
#define STILLCAST_TONEMAP_H

#include <libavutil/frame.h>

#include "image.h"

// sc_is_hdr tells whether a frame's light is coded for high dynamic range: by PQ (SMPTE ST 2084) or HLG (ARIB STD-B67),
// both of ITU-R BT.2100.
int sc_is_hdr(const AVFrame *frame);

// sc_tonemap makes an image of JPEG's colours (BT.601, full range, 4:2:0, 8 bits; red, green and blue are those of sRGB) of
// one of a frame that is HDR. SC_UNSUPPORTED stands for a matrix that is none of luma and two differences.
int sc_tonemap(sc_image *to, const sc_image *from, const AVFrame *frame, int full_range);

#endif
