#include "decode.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <libavutil/imgutils.h>
#include <libavutil/log.h>
#include <libavutil/mem.h>

void sc_setup(void)
{
    // What a hostile stream has to say is no log of ours.
    av_log_set_level(AV_LOG_QUIET);
#if defined(__GLIBC__)
    // A decoder lives for one shot. By default glibc gives its frames of some megabytes back to the kernel and every shot
    // pays for fresh pages, a seventh of its time. One arena, or each thread that Go calls from would keep its own.
    mallopt(M_MMAP_THRESHOLD, 32 << 20);
    mallopt(M_TRIM_THRESHOLD, 512 << 20);
    mallopt(M_ARENA_MAX, 1);
#endif
}

static int exceeds(const sc_decoder *decoder, int width, int height)
{
    return (int64_t)width * height > decoder->max_pixels;
}

// get_buffer refuses pictures by what they need in memory. libavcodec's own max_pixels looks at the size after
// cropping, which a hostile stream makes small.
static int get_buffer(AVCodecContext *context, AVFrame *frame, int flags)
{
    sc_decoder *decoder = context->opaque;
    if (exceeds(decoder, frame->width, frame->height)) {
        decoder->too_large = 1;
        return AVERROR(EINVAL);
    }
    return avcodec_default_get_buffer2(context, frame, flags);
}

int sc_decoder_open(sc_decoder **out, enum AVCodecID id, int64_t max_pixels, int keep_last)
{
    const AVCodec *codec = avcodec_find_decoder(id);
    if (!codec) {
        return SC_UNSUPPORTED;
    }
    sc_decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder) {
        return AVERROR(ENOMEM);
    }
    decoder->max_pixels = max_pixels;
    decoder->keep_last = keep_last;
    decoder->context = avcodec_alloc_context3(codec);
    decoder->packet = av_packet_alloc();
    decoder->received = av_frame_alloc();
    decoder->picture = av_frame_alloc();
    if (!decoder->context || !decoder->packet || !decoder->received || !decoder->picture) {
        sc_decoder_close(decoder);
        return AVERROR(ENOMEM);
    }
    // Neither LOW_DELAY, which returns the picture before or none at all, nor OUTPUT_CORRUPT. UNALIGNED crops exactly.
    decoder->context->flags |= AV_CODEC_FLAG_UNALIGNED;
    decoder->context->thread_count = 1;
    decoder->context->thread_type = FF_THREAD_SLICE;
    decoder->context->max_pixels = max_pixels;
    decoder->context->opaque = decoder;
    decoder->context->get_buffer2 = get_buffer;
    *out = decoder;
    return 0;
}

// classify turns a code of libavcodec into what it means for the shot.
static int classify(const sc_decoder *decoder, int code)
{
    const AVCodecContext *context = decoder->context;
    if (decoder->too_large || exceeds(decoder, context->coded_width, context->coded_height)) {
        return SC_TOO_LARGE;
    }
    return code;
}

int sc_decoder_start(sc_decoder *decoder, const uint8_t *config, int size)
{
    AVCodecContext *context = decoder->context;
    if (size < 0 || size > INT_MAX - AV_INPUT_BUFFER_PADDING_SIZE) {
        return SC_TOO_LARGE;
    }
    if (size > 0) {
        context->extradata = av_mallocz((size_t)size + AV_INPUT_BUFFER_PADDING_SIZE);
        if (!context->extradata) {
            return AVERROR(ENOMEM);
        }
        memcpy(context->extradata, config, (size_t)size);
        context->extradata_size = size;
    }
    int code = avcodec_open2(context, context->codec, NULL);
    return code < 0 ? classify(decoder, code) : 0;
}

// receive takes all frames that are ready.
static int receive(sc_decoder *decoder)
{
    for (;;) {
        int code = avcodec_receive_frame(decoder->context, decoder->received);
        if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) {
            return 0;
        }
        if (code < 0) {
            return classify(decoder, code);
        }
        // What is made up in one picture is carried on into those after it, which then report nothing.
        if (decoder->received->decode_error_flags) {
            decoder->damaged = 1;
        }
        if (decoder->keep_last || !decoder->picture->buf[0]) {
            av_frame_unref(decoder->picture);
            av_frame_move_ref(decoder->picture, decoder->received);
        } else {
            av_frame_unref(decoder->received);
        }
    }
}

int sc_decoder_send(sc_decoder *decoder, const uint8_t *unit, int size)
{
    int code = av_new_packet(decoder->packet, size);
    if (code < 0) {
        return code;
    }
    memcpy(decoder->packet->data, unit, (size_t)size);
    code = avcodec_send_packet(decoder->context, decoder->packet);
    av_packet_unref(decoder->packet);
    if (code < 0) {
        return classify(decoder, code);
    }
    return receive(decoder);
}

int sc_decoder_finish(sc_decoder *decoder, AVFrame **picture)
{
    int code = avcodec_send_packet(decoder->context, NULL);
    if (code >= 0) {
        code = receive(decoder);
    }
    if (code < 0) {
        return classify(decoder, code);
    }
    if (decoder->damaged) {
        return SC_DAMAGED;
    }
    if (!decoder->picture->buf[0]) {
        return classify(decoder, SC_NO_PICTURE);
    }
    *picture = decoder->picture;
    decoder->picture = NULL;
    return 0;
}

void sc_decoder_close(sc_decoder *decoder)
{
    if (!decoder) {
        return;
    }
    avcodec_free_context(&decoder->context);
    av_packet_free(&decoder->packet);
    av_frame_free(&decoder->received);
    av_frame_free(&decoder->picture);
    free(decoder);
}
