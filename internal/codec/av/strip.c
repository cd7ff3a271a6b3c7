#include "strip.h"

#include <stdlib.h>
#include <string.h>

#include <libavutil/error.h>

int sc_strip_init(sc_strip *strip, int width)
{
    memset(strip, 0, sizeof *strip);
    strip->stride = (width + 15) / 16 * 16;
    size_t stride = (size_t)strip->stride;
    strip->samples = malloc(stride * sc_strip_rows + stride * sc_strip_chroma_rows);
    strip->scratch = malloc(stride * 2 * sizeof *strip->scratch);
    if (!strip->samples || !strip->scratch) {
        return AVERROR(ENOMEM);
    }
    uint8_t *cb = strip->samples + stride * sc_strip_rows;
    uint8_t *cr = cb + stride / 2 * sc_strip_chroma_rows;
    for (int i = 0; i < sc_strip_rows; i++) {
        strip->luma[i] = strip->samples + stride * (size_t)i;
    }
    for (int i = 0; i < sc_strip_chroma_rows; i++) {
        strip->cb[i] = cb + stride / 2 * (size_t)i;
        strip->cr[i] = cr + stride / 2 * (size_t)i;
    }
    return 0;
}

void sc_strip_free(sc_strip *strip)
{
    free(strip->samples);
    free(strip->scratch);
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

// extend repeats the last pixel of a row up to a whole MCU.
static void extend(uint8_t *row, int width, int stride)
{
    memset(row + width, row[width - 1], (size_t)(stride - width));
}

void sc_strip_fill(sc_strip *strip, const sc_picture *picture, int top)
{
    const AVFrame *frame = picture->frame;
    int last = frame->height - 1, half = (frame->width + 1) / 2;
    for (int i = 0; i < sc_strip_chroma_rows; i++) {
        ptrdiff_t chroma = smaller(top / 2 + i, last / 2);
        ptrdiff_t upper = smaller(top + 2 * i, last), lower = smaller(top + 2 * i + 1, last);
        sc_rows from = {
            .luma = {frame->data[0] + upper * frame->linesize[0], frame->data[0] + lower * frame->linesize[0]},
            .cb = frame->data[1] + chroma * frame->linesize[1],
            .cr = frame->data[2] + chroma * frame->linesize[2],
        };
        sc_target to = {
            .luma = {strip->luma[2 * i], strip->luma[2 * i + 1]},
            .cb = strip->cb[i],
            .cr = strip->cr[i],
            .scratch = strip->scratch,
        };
        sc_colour_convert(&picture->colour, &from, &to, frame->width);
        extend(to.luma[0], frame->width, strip->stride);
        extend(to.luma[1], frame->width, strip->stride);
        extend(to.cb, half, strip->stride / 2);
        extend(to.cr, half, strip->stride / 2);
    }
}
