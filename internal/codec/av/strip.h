#ifndef STILLCAST_STRIP_H
#define STILLCAST_STRIP_H

#include <stdint.h>

#include "picture.h"

enum {
    sc_strip_rows = 16, // an MCU of 4:2:0
    sc_strip_chroma_rows = sc_strip_rows / 2,
};

// Sixteen rows of a picture in JPEG's colours, filled up to whole MCUs.
typedef struct sc_strip {
    int stride; // of luma; chroma has half of it
    uint8_t *luma[sc_strip_rows];
    uint8_t *cb[sc_strip_chroma_rows], *cr[sc_strip_chroma_rows];
    uint8_t *samples;
    int16_t *scratch;
} sc_strip;

// sc_strip_init makes room for strips of pictures of this width. sc_strip_free has to be called even after an error.
int sc_strip_init(sc_strip *strip, int width);

void sc_strip_free(sc_strip *strip);

// sc_strip_fill converts the strip that begins at row top. Right of the picture and below it its last pixel is repeated.
void sc_strip_fill(sc_strip *strip, const sc_picture *picture, int top);

#endif
