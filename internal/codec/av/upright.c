#include "upright.h"

#include <stdlib.h>

#include "depth.h"
#include "frame.h"
#include "orient.h"
#include "tonemap.h"

static int is_full_range(const AVFrame *frame)
{
    switch (frame->format) {
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ444P:
    case AV_PIX_FMT_YUVJ440P:
        return 1;
    default:
        return frame->color_range == AVCOL_RANGE_JPEG;
    }
}

// flatten makes an image of 8 bits and standard dynamic range.
static int flatten(sc_upright *to, const sc_image *from, const AVFrame *frame, int rgb)
{
    int hdr = sc_is_hdr(frame);
    if (rgb) {
        sc_colour_none(&to->colour);
        return hdr ? SC_UNSUPPORTED : sc_from_rgb(&to->image, from);
    }
    if (hdr) {
        sc_colour_none(&to->colour);
        return sc_tonemap(&to->image, from, frame, is_full_range(frame));
    }
    const sc_weights *weights = sc_colour_weights(frame->colorspace, frame->color_primaries, frame->width, frame->height);
    if (!weights) {
        return SC_UNSUPPORTED;
    }
    sc_colour_init(&to->colour, weights, is_full_range(frame));
    return from->depth > 8 ? sc_narrow(&to->image, from) : sc_image_share(&to->image, from);
}

// turn makes the image stand upright.
static int turn(sc_upright *upright, sc_orientation orientation)
{
    if (!orientation.transposed && !orientation.flip_x && !orientation.flip_y) {
        return 0;
    }
    sc_image turned;
    int code = sc_orient(&turned, &upright->image, orientation);
    sc_image_release(&upright->image);
    upright->image = turned;
    return code;
}

static int make(sc_upright *upright, const AVFrame *frame)
{
    int rgb;
    sc_image view = {0};
    int code = sc_image_view(&view, frame, &rgb);
    if (code == 0) {
        code = flatten(upright, &view, frame, rgb);
    }
    sc_image_release(&view);
    if (code < 0) {
        return code;
    }
    sc_orientation orientation = sc_frame_orientation(frame);
    upright->frame_width = orientation.transposed ? frame->height : frame->width;
    upright->frame_height = orientation.transposed ? frame->width : frame->height;
    return turn(upright, orientation);
}

int sc_upright_make(sc_upright **out, const AVFrame *frame)
{
    sc_upright *upright = calloc(1, sizeof *upright);
    if (!upright) {
        return AVERROR(ENOMEM);
    }
    int code = make(upright, frame);
    if (code < 0) {
        sc_upright_free(upright);
        return code;
    }
    *out = upright;
    return 0;
}

void sc_upright_free(sc_upright *upright)
{
    if (!upright) {
        return;
    }
    sc_image_release(&upright->image);
    free(upright);
}
