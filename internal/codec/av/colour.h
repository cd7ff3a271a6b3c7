#ifndef STILLCAST_COLOUR_H
#define STILLCAST_COLOUR_H

#include <stdint.h>

#include <libavutil/pixfmt.h>

// A conversion of 8-bit Y'CbCr into that of JPEG: BT.601, full range (JFIF 1.02). Grey stays grey, so luma never
// enters chroma and seven numbers are enough. The diagonal is stored less one, and all in 1/32768.
typedef struct sc_colour {
    int16_t luma_offset; // of black: 16, or 0 in full range
    int16_t yy, ycb, ycr;
    int16_t cbcb, cbcr;
    int16_t crcb, crcr;
} sc_colour;

// The weights of red and blue in luma.
typedef struct sc_weights {
    double red, blue;
} sc_weights;

// sc_colour_weights returns the weights of a matrix. A stream that does not say its matrix has that of its size: high
// definition is BT.709, the rest BT.601. NULL stands for matrices that are no linear function of red, green and blue, or
// none of luma and two differences.
const sc_weights *sc_colour_weights(enum AVColorSpace matrix, enum AVColorPrimaries primaries, int width, int height);

// sc_colour_init sets up the conversion.
void sc_colour_init(sc_colour *colour, const sc_weights *weights, int full_range);

// sc_colour_none sets up the conversion of what is in JPEG's colours already, which changes nothing.
void sc_colour_none(sc_colour *colour);

// sc_rows are two rows of luma and the row of chroma that belongs to them.
typedef struct sc_rows {
    const uint8_t *luma[2];
    const uint8_t *cb, *cr;
} sc_rows;

// sc_target is where converted rows go. There is room for an even number of pixels.
typedef struct sc_target {
    uint8_t *luma[2];
    uint8_t *cb, *cr;
    int16_t *scratch; // twice the width
} sc_target;

// sc_colour_convert converts two rows of width pixels, the fastest way that this processor has.
void sc_colour_convert(const sc_colour *colour, const sc_rows *from, const sc_target *to, int width);

#endif
