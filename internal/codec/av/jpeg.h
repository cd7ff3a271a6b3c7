#ifndef STILLCAST_JPEG_H
#define STILLCAST_JPEG_H

#include <stddef.h>
#include <stdint.h>

#include "picture.h"

// What sc_jpeg_encode made. free bytes.
typedef struct sc_jpeg {
    uint8_t *bytes;
    size_t size;
    char message[200]; // libjpeg's words, after SC_JPEG
} sc_jpeg;

// sc_jpeg_encode makes a baseline or progressive JPEG of the picture in JPEG's colours, of quality 1 to 100.
int sc_jpeg_encode(sc_jpeg *out, const sc_picture *picture, int quality, int progressive);

// sc_jpeg_encode_by_library makes the same bytes by libjpeg-turbo, whatever this processor has: what tests compare with.
int sc_jpeg_encode_by_library(sc_jpeg *out, const sc_picture *picture, int quality, int progressive);

#endif
