#include "scale.h"

#include <stdlib.h>

#include <libyuv.h>

#include "fault.h"

// libyuv's positions are 16.16 bits of a signed number.
enum { libyuv_most = 32767 };

static int by_libyuv(const sc_plane *to, const sc_plane *from)
{
    if (from->width > libyuv_most || from->height > libyuv_most) {
        return SC_UNSUPPORTED;
    }
    ScalePlane(from->data, from->stride, from->width, from->height, to->data, to->stride, to->width, to->height, kFilterBox);
    return 0;
}

// is_shrunk tells whether a side becomes less than its half. There libyuv's box has whole samples only, cuts off what is
// behind the point, and overflows from 257 rows on; to a half and more it is linear and good.
static int is_shrunk(const sc_plane *to, const sc_plane *from)
{
    int quarter = to->width * 4 == from->width && to->height * 4 == from->height; // has a fast way of its own
    return (to->width * 2 < from->width || to->height * 2 < from->height) && !quarter;
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

int sc_scale_plane(const sc_plane *to, const sc_plane *from)
{
    if (to->width == from->width && to->height == from->height) {
        CopyPlane(from->data, from->stride, to->data, to->stride, to->width, to->height);
        return 0;
    }
    if (!is_shrunk(to, from)) {
        return by_libyuv(to, from);
    }
    if (to->width <= from->width && to->height <= from->height) {
        return sc_area_scale(to, from);
    }
    // Narrower and higher, or the other way round.
    sc_plane between = {.width = smaller(to->width, from->width), .height = smaller(to->height, from->height)};
    between.stride = between.width;
    between.data = malloc((size_t)between.width * (size_t)between.height);
    int code = between.data ? sc_area_scale(&between, from) : AVERROR(ENOMEM);
    if (code == 0) {
        code = by_libyuv(to, &between);
    }
    free(between.data);
    return code;
}
