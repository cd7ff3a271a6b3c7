#include "image.h"

#include <libavutil/buffer.h>
#include <libavutil/pixdesc.h>

#include "frame.h"

static int shrink(int size, int shift)
{
    return (size + (1 << shift) - 1) >> shift;
}

int sc_image_width(const sc_image *image, int plane)
{
    return plane == 0 ? image->width : shrink(image->width, image->shift_x);
}

int sc_image_height(const sc_image *image, int plane)
{
    return plane == 0 ? image->height : shrink(image->height, image->shift_y);
}

// is_planar tells whether every component has a plane of its own with nothing else in it.
static int is_planar(const AVPixFmtDescriptor *format)
{
    const uint64_t others = AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM | AV_PIX_FMT_FLAG_HWACCEL |
                            AV_PIX_FMT_FLAG_BAYER | AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_BE;
    if (!format || (format->flags & others)) {
        return 0;
    }
    if (format->nb_components >= 3 && !(format->flags & AV_PIX_FMT_FLAG_PLANAR)) {
        return 0;
    }
    int colours = format->nb_components < 3 ? 1 : 3;
    for (int i = 0; i < colours; i++) {
        const AVComponentDescriptor *component = &format->comp[i];
        int bytes = component->depth > 8 ? 2 : 1;
        if (component->depth < 8 || component->depth > 16 || component->shift != 0 || component->step != bytes) {
            return 0;
        }
    }
    return 1;
}

int sc_image_view(sc_image *image, const AVFrame *frame, int *rgb)
{
    const AVPixFmtDescriptor *format = av_pix_fmt_desc_get((enum AVPixelFormat)frame->format);
    if (!is_planar(format)) {
        return SC_UNSUPPORTED;
    }
    // Two fields are two moments, woven into one frame: the upper one alone is a whole picture of half the height.
    int fields = sc_frame_is_interlaced(frame) && frame->height > 1 ? 2 : 1;
    *rgb = (format->flags & AV_PIX_FMT_FLAG_RGB) != 0;
    image->planes = format->nb_components < 3 ? 1 : 3;
    image->width = frame->width;
    image->height = (frame->height + fields - 1) / fields;
    image->shift_x = format->log2_chroma_w;
    image->shift_y = format->log2_chroma_h;
    image->depth = format->comp[0].depth;
    for (int i = 0; i < image->planes; i++) {
        image->data[i] = frame->data[i];
        image->stride[i] = frame->linesize[i] * fields;
    }
    image->owner = av_frame_clone(frame);
    return image->owner ? 0 : AVERROR(ENOMEM);
}

int sc_image_share(sc_image *image, const sc_image *other)
{
    *image = *other;
    image->owner = av_frame_clone(other->owner);
    return image->owner ? 0 : AVERROR(ENOMEM);
}

int sc_image_allocate(sc_image *image)
{
    enum { alignment = 64 };
    size_t bytes = image->depth > 8 ? 2 : 1, size = 0, offsets[3] = {0};
    for (int i = 0; i < image->planes; i++) {
        size_t stride = ((size_t)sc_image_width(image, i) * bytes + alignment - 1) / alignment * alignment;
        offsets[i] = size;
        image->stride[i] = (int)stride;
        size += stride * (size_t)sc_image_height(image, i);
    }
    image->owner = av_frame_alloc();
    if (!image->owner) {
        return AVERROR(ENOMEM);
    }
    image->owner->buf[0] = av_buffer_alloc(size + alignment);
    if (!image->owner->buf[0]) {
        return AVERROR(ENOMEM);
    }
    for (int i = 0; i < image->planes; i++) {
        image->data[i] = image->owner->buf[0]->data + offsets[i];
    }
    return 0;
}

void sc_image_release(sc_image *image)
{
    av_frame_free(&image->owner);
}
