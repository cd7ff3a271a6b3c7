#include "decode.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <libavutil/dict.h>
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

int sc_decoder_open(sc_decoder **out, const AVCodec *codec, int64_t max_pixels, int64_t wanted)
{
    sc_decoder *decoder = calloc(1, sizeof *decoder);
    if (!decoder) {
        return AVERROR(ENOMEM);
    }
    decoder->max_pixels = max_pixels;
    decoder->wanted = wanted;
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
    // ERANGE is what libdav1d says beyond its frame size limit, which libavcodec sets by max_pixels.
    if (decoder->too_large || code == AVERROR(ERANGE) || exceeds(decoder, context->coded_width, context->coded_height)) {
        return SC_TOO_LARGE;
    }
    return code;
}

// open_codec opens the codec with options that only some decoders have; the others leave them in the list.
static int open_codec(AVCodecContext *context)
{
    AVDictionary *options = NULL;
    // libdav1d has threads and a delay of its own. The first two were replaced by the third.
    av_dict_set(&options, "tilethreads", "1", 0);
    av_dict_set(&options, "framethreads", "1", 0);
    av_dict_set(&options, "max_frame_delay", "1", 0);
    int code = avcodec_open2(context, context->codec, &options);
    av_dict_free(&options);
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
    int code = open_codec(context);
    return code < 0 ? classify(decoder, code) : 0;
}

// is_wanted tells whether a frame is the picture of the unit that is asked for. Frames carry their unit's number as time
// stamp, so that neither the order of display nor frames without a picture matter.
static int is_wanted(const sc_decoder *decoder, const AVFrame *frame)
{
    return decoder->wanted == SC_FIRST || frame->pts == decoder->wanted;
}

// is_damaged tells whether parts of a frame are made up.
static int is_damaged(const AVFrame *frame)
{
    return frame->decode_error_flags != 0 || (frame->flags & AV_FRAME_FLAG_CORRUPT) != 0;
}

static int has_first(const sc_decoder *decoder)
{
    return decoder->wanted == SC_FIRST && decoder->picture->buf[0];
}

// receive takes all frames that are ready.
static int receive(sc_decoder *decoder)
{
    while (!has_first(decoder)) {
        int code = avcodec_receive_frame(decoder->context, decoder->received);
        if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) {
            return 0;
        }
        if (code < 0) {
            return classify(decoder, code);
        }
        // What is made up in one picture is carried on into those after it, which then report nothing.
        if (is_damaged(decoder->received)) {
            decoder->damaged = 1;
        }
        if (is_wanted(decoder, decoder->received)) {
            av_frame_unref(decoder->picture);
            av_frame_move_ref(decoder->picture, decoder->received);
        } else {
            av_frame_unref(decoder->received);
        }
    }
    return 1;
}

int sc_decoder_send(sc_decoder *decoder, const uint8_t *unit, int size)
{
    int code = av_new_packet(decoder->packet, size);
    if (code < 0) {
        return code;
    }
    memcpy(decoder->packet->data, unit, (size_t)size);
    decoder->packet->pts = decoder->sent++;
    code = avcodec_send_packet(decoder->context, decoder->packet);
    av_packet_unref(decoder->packet);
    if (code < 0) {
        return classify(decoder, code);
    }
    return receive(decoder);
}

int sc_decoder_finish(sc_decoder *decoder, AVFrame **picture)
{
    int code = has_first(decoder) ? 0 : avcodec_send_packet(decoder->context, NULL);
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
