#ifndef STILLCAST_FRAME_H
#define STILLCAST_FRAME_H

#include <libavutil/frame.h>

// sc_frame_is_interlaced tells whether a frame is two fields, of two moments, woven into one.
int sc_frame_is_interlaced(const AVFrame *frame);

// How a decoded frame is turned to be shown: first width and height may change places (x with y), then the picture may
// be flipped along either axis. All eight right-angled orientations are of this form.
typedef struct sc_orientation {
    int transposed;
    int flip_x, flip_y;
} sc_orientation;

// sc_frame_orientation reads the frame's display matrix (an SEI message of H.264 and HEVC). Angles are rounded to right ones.
sc_orientation sc_frame_orientation(const AVFrame *frame);

// sc_frame_is_turned tells whether width and height change places.
int sc_frame_is_turned(const AVFrame *frame);

#endif
