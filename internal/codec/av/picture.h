#ifndef STILLCAST_PICTURE_H
#define STILLCAST_PICTURE_H

#include <libavutil/frame.h>

#include "colour.h"
#include "fault.h"
#include "upright.h"

// A picture of the size that is wanted, in 8-bit planar 4:2:0, still in the colours of its stream.
typedef struct sc_picture {
    AVFrame *frame; // shares memory with the decoded frame where nothing had to be done
    sc_colour colour;
} sc_picture;

typedef struct sc_rect {
    int x, y, width, height;
} sc_rect;

// sc_picture_make scales what crop shows of a frame, in pixels of the whole frame, into a box of a picture of
// width x height; the rest of it is black. Crop and box must lie inside. Their sides are moved by one pixel where chroma
// would be cut into halves.
int sc_picture_make(sc_picture **out, const sc_upright *from, int width, int height, sc_rect crop, sc_rect box);

// sc_picture_free frees the picture; NULL is allowed.
void sc_picture_free(sc_picture *picture);

#endif
