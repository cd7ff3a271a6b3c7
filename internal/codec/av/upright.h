#ifndef STILLCAST_UPRIGHT_H
#define STILLCAST_UPRIGHT_H

#include "colour.h"
#include "image.h"

// A decoded frame made ready for pictures of any size: 8 bits, standard dynamic range, one field of an interlaced frame,
// the right way up. Most frames are that already; then it shares their memory.
typedef struct sc_upright {
    sc_image image;
    sc_colour colour;           // from the image's colours to JPEG's
    int frame_width, frame_height; // of the whole frame, both fields, turned
} sc_upright;

// sc_upright_make makes a frame ready. SC_UNSUPPORTED stands for pixel formats and colours without a way to JPEG's.
int sc_upright_make(sc_upright **out, const AVFrame *frame);

// sc_upright_free frees what sc_upright_make made; NULL is allowed.
void sc_upright_free(sc_upright *upright);

#endif
