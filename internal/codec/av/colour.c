#include "colour.h"

#include <math.h>

#include "fault.h"

// The weights of red and blue in luma (ITU-T H.273, table 4).
typedef struct weights {
    double red, blue;
} weights;

static const weights bt601 = {0.299, 0.114};
static const weights bt709 = {0.2126, 0.0722};
static const weights bt2020 = {0.2627, 0.0593};
static const weights smpte240m = {0.212, 0.087};
static const weights fcc = {0.30, 0.11};

static const weights *weights_of(enum AVColorSpace matrix, int width, int height)
{
    switch (matrix) {
    case AVCOL_SPC_BT709:
        return &bt709;
    case AVCOL_SPC_FCC:
        return &fcc;
    case AVCOL_SPC_BT470BG:
    case AVCOL_SPC_SMPTE170M:
        return &bt601;
    case AVCOL_SPC_SMPTE240M:
        return &smpte240m;
    case AVCOL_SPC_BT2020_NCL:
        return &bt2020;
    case AVCOL_SPC_RESERVED:
    case AVCOL_SPC_UNSPECIFIED:
        return height >= 720 || width >= 1280 ? &bt709 : &bt601;
    default: // RGB is converted before; the others are no linear function of this kind.
        return NULL;
    }
}

static int16_t fixed(double value)
{
    return (int16_t)lrint(value * 32768);
}

int sc_colour_init(sc_colour *colour, enum AVColorSpace matrix, int full_range, int width, int height)
{
    const weights *w = weights_of(matrix, width, height);
    if (!w) {
        return SC_UNSUPPORTED;
    }
    double luma_scale = full_range ? 1 : 255.0 / 219;
    double chroma_scale = full_range ? 1 : 255.0 / 224;
    // Red, green and blue less luma, by Cb and Cr.
    double blue_cb = 2 * (1 - w->blue) * chroma_scale;
    double red_cr = 2 * (1 - w->red) * chroma_scale;
    double green = 1 - w->red - w->blue;
    double green_cb = -blue_cb * w->blue / green;
    double green_cr = -red_cr * w->red / green;
    // Luma of BT.601 less the luma that came in.
    double target_green = 1 - bt601.red - bt601.blue;
    double ycb = target_green * green_cb + bt601.blue * blue_cb;
    double ycr = bt601.red * red_cr + target_green * green_cr;

    colour->luma_offset = full_range ? 0 : 16;
    colour->yy = fixed(luma_scale - 1);
    colour->ycb = fixed(ycb);
    colour->ycr = fixed(ycr);
    colour->cbcb = fixed((blue_cb - ycb) / (2 * (1 - bt601.blue)) - 1);
    colour->cbcr = fixed(-ycr / (2 * (1 - bt601.blue)));
    colour->crcb = fixed(-ycb / (2 * (1 - bt601.red)));
    colour->crcr = fixed((red_cr - ycr) / (2 * (1 - bt601.red)) - 1);
    return 0;
}

// Samples are worked on in 1/64, in 16 bits: the compiler then handles eight or sixteen in one instruction.
// scale is sample * factor: the sample comes in 1/128, the factor in 1/32768.
static inline int16_t scale(int16_t sample, int16_t factor)
{
    return (int16_t)(((int32_t)sample * factor) >> 16);
}

// to_byte rounds 1/64 to whole numbers. One more than the half makes up for what scale cuts off twice or thrice.
static inline uint8_t to_byte(int16_t sample)
{
    int16_t whole = (int16_t)((int16_t)(sample + 33) >> 6);
    whole = whole < 0 ? 0 : whole;
    return (uint8_t)(whole > 255 ? 255 : whole);
}

static void convert_chroma(const sc_colour *colour, const sc_rows *from, const sc_target *to, int width)
{
    const uint8_t *restrict in_cb = from->cb, *restrict in_cr = from->cr;
    uint8_t *restrict out_cb = to->cb, *restrict out_cr = to->cr;
    int16_t *restrict to_luma = to->scratch;
    const sc_colour c = *colour;
    for (int x = 0; x < width; x++) {
        int16_t cb = (int16_t)(in_cb[x] - 128), cr = (int16_t)(in_cr[x] - 128);
        int16_t cb128 = (int16_t)(cb * 128), cr128 = (int16_t)(cr * 128);
        to_luma[x] = (int16_t)(scale(cb128, c.ycb) + scale(cr128, c.ycr));
        int16_t new_cb = (int16_t)(cb * 64 + scale(cb128, c.cbcb) + scale(cr128, c.cbcr));
        int16_t new_cr = (int16_t)(cr * 64 + scale(cb128, c.crcb) + scale(cr128, c.crcr));
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
        int16_t luma = (int16_t)(from[x] - offset);
        to[x] = to_byte((int16_t)(luma * 64 + scale((int16_t)(luma * 128), factor) + chroma[x]));
    }
}

void sc_colour_convert(const sc_colour *colour, const sc_rows *from, const sc_target *to, int width)
{
    int half = (width + 1) / 2;
    int16_t *by_pixel = to->scratch + half;
    convert_chroma(colour, from, to, half);
    double_up(to->scratch, by_pixel, half);
    convert_luma(colour, from->luma[0], by_pixel, to->luma[0], width);
    convert_luma(colour, from->luma[1], by_pixel, to->luma[1], width);
}
