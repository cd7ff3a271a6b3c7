#include "frame.h"

#include <stdint.h>
#include <stdlib.h>

#include <libavutil/version.h>

int sc_frame_is_interlaced(const AVFrame *frame)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
    return (frame->flags & AV_FRAME_FLAG_INTERLACED) != 0;
#else
    return frame->interlaced_frame;
#endif
}

static int64_t size_of(int32_t value)
{
    return llabs((int64_t)value);
}

sc_orientation sc_frame_orientation(const AVFrame *frame)
{
    sc_orientation orientation = {0};
    const AVFrameSideData *side = av_frame_get_side_data(frame, AV_FRAME_DATA_DISPLAYMATRIX);
    if (!side || (size_t)side->size < 9 * sizeof(int32_t)) {
        return orientation;
    }
    // A point x, y is shown at m[0]*x + m[3]*y, m[1]*x + m[4]*y (ISO/IEC 14496-12, 6.2.2).
    const int32_t *m = (const int32_t *)side->data;
    orientation.transposed = size_of(m[1]) + size_of(m[3]) > size_of(m[0]) + size_of(m[4]);
    orientation.flip_x = (orientation.transposed ? m[3] : m[0]) < 0;
    orientation.flip_y = (orientation.transposed ? m[1] : m[4]) < 0;
    return orientation;
}

int sc_frame_is_turned(const AVFrame *frame)
{
    return sc_frame_orientation(frame).transposed;
}
