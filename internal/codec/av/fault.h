#ifndef STILLCAST_FAULT_H
#define STILLCAST_FAULT_H

#include <libavutil/common.h> // MKTAG, before FFmpeg 5
#include <libavutil/error.h>

// Every function that can fail returns 0 or a negative number: one of libav's
// AVERROR codes, or one of these, which libav has no name for.
#define SC_NO_PICTURE FFERRTAG('S', 'C', 'N', 'P')  // the units hold no whole picture
#define SC_DAMAGED FFERRTAG('S', 'C', 'D', 'M')     // parts of the picture are made up
#define SC_TOO_LARGE FFERRTAG('S', 'C', 'T', 'L')   // more pixels or bytes than allowed
#define SC_UNSUPPORTED FFERRTAG('S', 'C', 'U', 'S') // no decoder, or a pixel or colour format without a way to JPEG
#define SC_JPEG FFERRTAG('S', 'C', 'J', 'P')        // libjpeg gave up

#endif
