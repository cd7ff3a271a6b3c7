#ifndef STILLCAST_PICTURE_H
#define STILLCAST_PICTURE_H

#include <libavutil/frame.h>

#include "colour.h"
#include "fault.h"

// A picture of the size that is wanted, in 8-bit planar 4:2:0, still in the colours of its stream.
typedef struct sc_picture {
    AVFrame *frame; // shares memory with the decoded frame where nothing had to be done
    sc_colour colour;
} sc_picture;

// sc_picture_make deinterlaces, scales and converts a frame as far as it is needed.
int sc_picture_make(sc_picture **out, const AVFrame *frame, int width, int height);

// sc_picture_free frees the picture; NULL is allowed.
void sc_picture_free(sc_picture *picture);

#endif
