#include "colour.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

// The weights of ITU-T H.273, table 4.
static const sc_weights bt601 = {0.299, 0.114};
static const sc_weights bt709 = {0.2126, 0.0722};
static const sc_weights bt2020 = {0.2627, 0.0593};
static const sc_weights smpte240m = {0.212, 0.087};
static const sc_weights fcc = {0.30, 0.11};

const sc_weights *sc_colour_weights(enum AVColorSpace matrix, enum AVColorPrimaries primaries, int width, int height)
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
    case AVCOL_SPC_CHROMA_DERIVED_NCL:
        return primaries == AVCOL_PRI_BT2020 ? &bt2020 : &bt709;
    case AVCOL_SPC_RGB: // of a picture that has luma and chroma: a slip of the encoder
    case AVCOL_SPC_RESERVED:
    case AVCOL_SPC_UNSPECIFIED:
        return height >= 720 || width >= 1280 ? &bt709 : &bt601;
    default:
        return NULL;
    }
}

static int16_t fixed(double value)
{
    return (int16_t)lrint(value * 32768);
}

void sc_colour_init(sc_colour *colour, const sc_weights *w, int full_range)
{
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
}

void sc_colour_none(sc_colour *colour)
{
    memset(colour, 0, sizeof *colour);
}
