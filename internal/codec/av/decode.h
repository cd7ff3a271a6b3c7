#ifndef STILLCAST_DECODE_H
#define STILLCAST_DECODE_H

#include <stdint.h>

#include <libavcodec/avcodec.h>

#include "fault.h"

// The wish for the first picture that the decoder gives, in place of a unit's number.
enum { SC_FIRST = -1 };

// A decoder for one shot. It owns everything that it points to.
typedef struct sc_decoder {
    AVCodecContext *context;
    AVPacket *packet;
    AVFrame *received; // scratch
    AVFrame *picture;  // the frame to keep, once there is one
    int64_t max_pixels;
    int64_t wanted; // the number of the unit whose picture to keep, or SC_FIRST
    int64_t sent;   // units so far
    int damaged;
    int too_large;
} sc_decoder;

// sc_setup tunes malloc and silences libav's log, for the whole process.
void sc_setup(void);

// sc_decoder_open makes a decoder that keeps the picture of one unit, by its number from 0, or SC_FIRST.
int sc_decoder_open(sc_decoder **out, const AVCodec *codec, int64_t max_pixels, int64_t wanted);

// sc_decoder_start gives the codec's configuration, which is copied and may be empty, and opens the codec.
int sc_decoder_start(sc_decoder *decoder, const uint8_t *config, int size);

// sc_decoder_send decodes one access unit, which is copied. It returns 1 when no more is needed for the picture.
int sc_decoder_send(sc_decoder *decoder, const uint8_t *unit, int size);

// sc_decoder_finish drains the decoder and gives its picture away: free it by av_frame_free.
int sc_decoder_finish(sc_decoder *decoder, AVFrame **picture);

// sc_decoder_close frees the decoder; NULL is allowed.
void sc_decoder_close(sc_decoder *decoder);

#endif
