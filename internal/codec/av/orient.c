#include "orient.h"

#include <libyuv.h>

// A plane on its way: size and stride as they stand in the source.
typedef struct plane {
    const uint8_t *data;
    int stride;
    int width, height;
} plane;

static void turn_plane(const plane *from, uint8_t *to, int stride, sc_orientation o)
{
    if (o.transposed) {
        // A quarter turn to the right moves x, y to height-y, x, one to the left to y, width-x. What is missing to the
        // orientation is a flip of the source's rows, libyuv's meaning of a negative height.
        int right = !o.flip_y, flipped = right != o.flip_x;
        RotatePlane(from->data, from->stride, to, stride, from->width, flipped ? -from->height : from->height,
                    right ? kRotate90 : kRotate270);
    } else if (o.flip_x) {
        MirrorPlane(from->data, from->stride, to, stride, from->width, o.flip_y ? -from->height : from->height);
    } else {
        CopyPlane(from->data, from->stride, to, stride, from->width, o.flip_y ? -from->height : from->height);
    }
}

int sc_orient(sc_image *to, const sc_image *from, sc_orientation orientation)
{
    *to = *from;
    if (orientation.transposed) {
        to->width = from->height;
        to->height = from->width;
        to->shift_x = from->shift_y;
        to->shift_y = from->shift_x;
    }
    int code = sc_image_allocate(to);
    for (int i = 0; code == 0 && i < from->planes; i++) {
        plane source = {from->data[i], from->stride[i], sc_image_width(from, i), sc_image_height(from, i)};
        turn_plane(&source, to->data[i], to->stride[i], orientation);
    }
    return code;
}
