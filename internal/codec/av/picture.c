#include "picture.h"

#include <stdlib.h>

#include <libavutil/pixdesc.h>
#include <libavutil/version.h>
#include <libswscale/swscale.h>

static int is_interlaced(const AVFrame *frame)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(58, 7, 100)
    return (frame->flags & AV_FRAME_FLAG_INTERLACED) != 0;
#else
    return frame->interlaced_frame;
#endif
}

// plain_format names a "yuvj" format by its layout alone; the range that its name stands for is in *full.
static enum AVPixelFormat plain_format(enum AVPixelFormat format, int *full)
{
    enum AVPixelFormat plain;
    switch (format) {
    case AV_PIX_FMT_YUVJ420P:
        plain = AV_PIX_FMT_YUV420P;
        break;
    case AV_PIX_FMT_YUVJ422P:
        plain = AV_PIX_FMT_YUV422P;
        break;
    case AV_PIX_FMT_YUVJ444P:
        plain = AV_PIX_FMT_YUV444P;
        break;
    case AV_PIX_FMT_YUVJ440P:
        plain = AV_PIX_FMT_YUV440P;
        break;
    default:
        return format;
    }
    *full = 1;
    return plain;
}

// What of a frame is to be scaled.
typedef struct source {
    const uint8_t *data[AV_NUM_DATA_POINTERS];
    int linesize[AV_NUM_DATA_POINTERS];
    int width, height;
    enum AVPixelFormat format;
    int rgb;
} source;

static void source_of(source *from, const AVFrame *frame, enum AVPixelFormat format)
{
    const AVPixFmtDescriptor *descriptor = av_pix_fmt_desc_get(format);
    // Two fields are two moments, woven into one frame: the upper one alone is a whole picture of half the height.
    int fields = is_interlaced(frame) && frame->height > 1 ? 2 : 1;
    for (int i = 0; i < AV_NUM_DATA_POINTERS; i++) {
        from->data[i] = frame->data[i];
        from->linesize[i] = frame->linesize[i] * fields;
    }
    from->width = frame->width;
    from->height = (frame->height + fields - 1) / fields;
    from->format = format;
    from->rgb = descriptor && (descriptor->flags & AV_PIX_FMT_FLAG_RGB) != 0;
}

// scale converts to 8-bit 4:2:0 of another size and leaves matrix and range alone: swscale is slow at them and,
// for streams that do not name their matrix, wrong. Only RGB has no matrix to keep; it becomes JPEG's.
static int scale(AVFrame *to, const source *from)
{
    int larger = to->width > from->width || to->height > from->height;
    int flags = (larger ? SWS_BICUBIC : SWS_AREA) | SWS_ACCURATE_RND;
    struct SwsContext *context = sws_getContext(from->width, from->height, from->format, to->width, to->height,
                                                (enum AVPixelFormat)to->format, flags, NULL, NULL, NULL);
    if (!context) {
        return SC_UNSUPPORTED; // such as to less than 1/256
    }
    const int *matrix = sws_getCoefficients(SWS_CS_ITU601);
    int code = sws_setColorspaceDetails(context, matrix, from->rgb, matrix, from->rgb, 0, 1 << 16, 1 << 16);
    if (code >= 0) {
        code = sws_scale(context, from->data, from->linesize, 0, from->height, to->data, to->linesize);
    }
    sws_freeContext(context);
    return code < 0 ? code : 0;
}

static int fill(sc_picture *picture, const AVFrame *frame, int width, int height)
{
    int full = frame->color_range == AVCOL_RANGE_JPEG;
    source from;
    source_of(&from, frame, plain_format((enum AVPixelFormat)frame->format, &full));
    int code = from.rgb ? sc_colour_init(&picture->colour, AVCOL_SPC_SMPTE170M, 1, frame->width, frame->height)
                        : sc_colour_init(&picture->colour, frame->colorspace, full, frame->width, frame->height);
    if (code < 0) {
        return code;
    }
    int same_size = frame->width == width && frame->height == height && from.height == height;
    if (from.format == AV_PIX_FMT_YUV420P && same_size) {
        return av_frame_ref(picture->frame, frame);
    }
    if (!sws_isSupportedInput(from.format)) {
        return SC_UNSUPPORTED;
    }
    picture->frame->format = AV_PIX_FMT_YUV420P;
    picture->frame->width = width;
    picture->frame->height = height;
    code = av_frame_get_buffer(picture->frame, 0);
    return code < 0 ? code : scale(picture->frame, &from);
}

int sc_picture_make(sc_picture **out, const AVFrame *frame, int width, int height)
{
    sc_picture *picture = calloc(1, sizeof *picture);
    if (!picture) {
        return AVERROR(ENOMEM);
    }
    picture->frame = av_frame_alloc();
    int code = picture->frame ? fill(picture, frame, width, height) : AVERROR(ENOMEM);
    if (code < 0) {
        sc_picture_free(picture);
        return code;
    }
    *out = picture;
    return 0;
}

void sc_picture_free(sc_picture *picture)
{
    if (!picture) {
        return;
    }
    av_frame_free(&picture->frame);
    free(picture);
}
