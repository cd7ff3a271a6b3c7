#ifndef STILLCAST_WEBP_H
#define STILLCAST_WEBP_H

#include <stddef.h>
#include <stdint.h>

#include "picture.h"

#define SC_WEBP FFERRTAG('S', 'C', 'W', 'P') // libwebp gave up

// What sc_webp_encode made. free bytes.
typedef struct sc_webp {
    uint8_t *bytes;
    size_t size;
    const char *message; // what libwebp's code means, after SC_WEBP
} sc_webp;

// sc_webp_encode makes a lossy WebP of the picture, of quality 1 to 100. No side has more than WEBP_MAX_DIMENSION pixels.
int sc_webp_encode(sc_webp *out, const sc_picture *picture, int quality);

#endif
