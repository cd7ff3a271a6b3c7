#include "webp.h"

#include <stdlib.h>
#include <string.h>

#include <webp/encode.h>

// What is being written, and how much that may be.
typedef struct output {
    sc_webp *webp;
    size_t capacity, most;
} output;

// on_bytes appends to the output. 0 makes libwebp give up.
static int on_bytes(const uint8_t *data, size_t size, const WebPPicture *picture)
{
    output *o = picture->custom_ptr;
    sc_webp *webp = o->webp;
    if (size > o->most - webp->size) {
        return 0;
    }
    if (size > o->capacity - webp->size) {
        size_t wanted = webp->size + size, doubled = o->capacity * 2;
        size_t capacity = wanted > doubled ? wanted : doubled;
        uint8_t *bytes = realloc(webp->bytes, capacity);
        if (!bytes) {
            return 0;
        }
        webp->bytes = bytes;
        o->capacity = capacity;
    }
    memcpy(webp->bytes + webp->size, data, size);
    webp->size += size;
    return 1;
}

static const char *meaning(WebPEncodingError code)
{
    switch (code) {
    case VP8_ENC_ERROR_OUT_OF_MEMORY:
    case VP8_ENC_ERROR_BITSTREAM_OUT_OF_MEMORY:
        return "out of memory";
    case VP8_ENC_ERROR_PARTITION0_OVERFLOW:
        return "the prediction modes have more than 512 KiB";
    case VP8_ENC_ERROR_PARTITION_OVERFLOW:
        return "a partition has more than 16 MiB";
    case VP8_ENC_ERROR_BAD_DIMENSION:
        return "a side has no pixel or too many";
    case VP8_ENC_ERROR_BAD_WRITE:
    case VP8_ENC_ERROR_FILE_TOO_BIG:
        return "the file becomes too large";
    default:
        return "libwebp failed";
    }
}

// WebP is BT.601 like JPEG, but in limited range (RFC 9649, 2.5 by RFC 6386, 9.2). luma_to_limited and chroma_to_limited
// bring a row of JPEG's there; a limited one that was expanded before comes out as it was.
static void luma_to_limited(uint8_t *row, int width)
{
    for (int x = 0; x < width; x++) {
        row[x] = (uint8_t)(16 + ((row[x] * 56284 + 32768) >> 16)); // 219 / 255
    }
}

static void chroma_to_limited(uint8_t *row, int width)
{
    for (int x = 0; x < width; x++) {
        row[x] = (uint8_t)(128 + (((row[x] - 128) * 57568 + 32768) >> 16)); // 224 / 255
    }
}

// convert fills the planes of to, which have room for whole pairs of pixels and of rows.
static void convert(WebPPicture *to, const sc_picture *picture, int16_t *scratch)
{
    const AVFrame *frame = picture->frame;
    int width = frame->width, half = (width + 1) / 2;
    for (int y = 0; y < frame->height; y += 2) {
        ptrdiff_t upper = y, lower = y + 1 < frame->height ? y + 1 : y, chroma = y / 2;
        sc_rows rows = {
            .luma = {frame->data[0] + upper * frame->linesize[0], frame->data[0] + lower * frame->linesize[0]},
            .cb = frame->data[1] + chroma * frame->linesize[1],
            .cr = frame->data[2] + chroma * frame->linesize[2],
        };
        sc_target target = {
            .luma = {to->y + upper * to->y_stride, to->y + (upper + 1) * to->y_stride},
            .cb = to->u + chroma * to->uv_stride,
            .cr = to->v + chroma * to->uv_stride,
            .scratch = scratch,
        };
        sc_colour_convert(&picture->colour, &rows, &target, width);
        luma_to_limited(target.luma[0], width);
        luma_to_limited(target.luma[1], width);
        chroma_to_limited(target.cb, half);
        chroma_to_limited(target.cr, half);
    }
}

// import makes a picture of libwebp's. free its y.
static int import(WebPPicture *to, const sc_picture *picture)
{
    const AVFrame *frame = picture->frame;
    size_t stride = ((size_t)frame->width + 63) / 64 * 64;
    size_t pairs = ((size_t)frame->height + 1) / 2;
    uint8_t *planes = malloc(stride * pairs * 3);
    int16_t *scratch = malloc(stride * 2 * sizeof *scratch);
    if (!planes || !scratch) {
        free(planes);
        free(scratch);
        return AVERROR(ENOMEM);
    }
    to->use_argb = 0;
    to->colorspace = WEBP_YUV420;
    to->width = frame->width;
    to->height = frame->height;
    to->y = planes;
    to->y_stride = (int)stride;
    to->u = planes + stride * pairs * 2;
    to->v = to->u + stride / 2; // rows of both in turn
    to->uv_stride = (int)stride;
    convert(to, picture, scratch);
    free(scratch);
    return 0;
}

static void configure(WebPConfig *config, int quality)
{
    config->quality = (float)quality;
    // Of 1080p, method 1 takes two thirds of the time of 2 and makes files a seventh larger; 3 and 4 take more than twice
    // the time and save no more than a twentieth.
    config->method = 2;
}

int sc_webp_encode(sc_webp *out, const sc_picture *picture, int quality)
{
    memset(out, 0, sizeof *out);
    size_t pixels = (size_t)picture->frame->width * (size_t)picture->frame->height;
    output o = {.webp = out, .most = pixels * 6 + (64 << 10)};
    WebPConfig config;
    WebPPicture to;
    if (!WebPConfigInit(&config) || !WebPPictureInit(&to)) {
        out->message = "another version of libwebp is installed than the program was built for";
        return SC_WEBP;
    }
    int code = import(&to, picture);
    if (code < 0) {
        return code;
    }
    configure(&config, quality);
    to.writer = on_bytes;
    to.custom_ptr = &o;
    if (!WebPEncode(&config, &to)) {
        out->message = meaning(to.error_code);
        free(out->bytes);
        out->bytes = NULL;
        code = SC_WEBP;
    }
    free(to.y);
    return code;
}
