#include "rows.h"

#include <string.h>

// scale is sample * factor, rounded, the factor in 1/32768: what PMULHRSW and SQRDMULH do.
static inline int16_t scale(int16_t sample, int16_t factor)
{
    return (int16_t)((((int32_t)sample * factor >> 14) + 1) >> 1);
}

// to_byte rounds 1/64 to whole numbers.
static inline uint8_t to_byte(int16_t sample)
{
    int16_t whole = (int16_t)((int16_t)(sample + 32) >> 6);
    whole = whole < 0 ? 0 : whole;
    return (uint8_t)(whole > 255 ? 255 : whole);
}

// convert_chroma converts a row of chroma and stores what it adds to luma.
static void convert_chroma(const sc_colour *colour, const sc_rows *from, const sc_target *to, int width)
{
    const uint8_t *restrict in_cb = from->cb, *restrict in_cr = from->cr;
    uint8_t *restrict out_cb = to->cb, *restrict out_cr = to->cr;
    int16_t *restrict to_luma = to->scratch;
    const sc_colour c = *colour;
    for (int x = 0; x < width; x++) {
        int16_t cb = (int16_t)((in_cb[x] - 128) * 64), cr = (int16_t)((in_cr[x] - 128) * 64);
        to_luma[x] = (int16_t)(scale(cb, c.ycb) + scale(cr, c.ycr));
        int16_t new_cb = (int16_t)(cb + scale(cb, c.cbcb) + scale(cr, c.cbcr));
        int16_t new_cr = (int16_t)(cr + scale(cb, c.crcb) + scale(cr, c.crcr));
        out_cb[x] = to_byte((int16_t)(new_cb + 128 * 64));
        out_cr[x] = to_byte((int16_t)(new_cr + 128 * 64));
    }
}

static void double_up(const int16_t *restrict from, int16_t *restrict to, int width)
{
    for (int x = 0; x < width; x++) {
        to[2 * x] = from[x];
        to[2 * x + 1] = from[x];
    }
}

static void convert_luma(const sc_colour *colour, const uint8_t *restrict from, const int16_t *restrict chroma,
                         uint8_t *restrict to, int width)
{
    int16_t offset = colour->luma_offset, factor = colour->yy;
    for (int x = 0; x < width; x++) {
        int16_t luma = (int16_t)((from[x] - offset) * 64);
        to[x] = to_byte((int16_t)(luma + scale(luma, factor) + chroma[x]));
    }
}

void sc_rows_portable(const sc_colour *colour, const sc_rows *from, const sc_target *to, int width)
{
    int half = (width + 1) / 2;
    int16_t *by_pixel = to->scratch + half;
    convert_chroma(colour, from, to, half);
    double_up(to->scratch, by_pixel, half);
    convert_luma(colour, from->luma[0], by_pixel, to->luma[0], width);
    convert_luma(colour, from->luma[1], by_pixel, to->luma[1], width);
}

void sc_rows_rest(const sc_colour *colour, const sc_rows *from, const sc_target *to, int width, int x)
{
    if (x >= width) {
        return;
    }
    sc_rows rest_from = {
        .luma = {from->luma[0] + x, from->luma[1] + x},
        .cb = from->cb + x / 2,
        .cr = from->cr + x / 2,
    };
    sc_target rest_to = {
        .luma = {to->luma[0] + x, to->luma[1] + x},
        .cb = to->cb + x / 2,
        .cr = to->cr + x / 2,
        .scratch = to->scratch,
    };
    sc_rows_portable(colour, &rest_from, &rest_to, width - x);
}

static void copy(const sc_rows *from, const sc_target *to, int width)
{
    size_t half = (size_t)(width + 1) / 2;
    memcpy(to->luma[0], from->luma[0], (size_t)width);
    memcpy(to->luma[1], from->luma[1], (size_t)width);
    memcpy(to->cb, from->cb, half);
    memcpy(to->cr, from->cr, half);
}

void sc_colour_convert(const sc_colour *colour, const sc_rows *from, const sc_target *to, int width)
{
    static const sc_colour none = {0};
    if (memcmp(colour, &none, sizeof none) == 0) {
        copy(from, to, width);
        return;
    }
#if defined(SC_ROWS_AVX2)
    if (__builtin_cpu_supports("avx2")) {
        sc_rows_avx2(colour, from, to, width);
        return;
    }
#elif defined(SC_ROWS_NEON)
    sc_rows_neon(colour, from, to, width);
    return;
#endif
    sc_rows_portable(colour, from, to, width);
}
