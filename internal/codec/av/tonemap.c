#include "floats.h"

#include "tonemap.h"

#include <stdlib.h>
#include <string.h>

#include "mapping.h"

int sc_is_hdr(const AVFrame *frame)
{
    return frame->color_trc == AVCOL_TRC_SMPTE2084 || frame->color_trc == AVCOL_TRC_ARIB_STD_B67;
}

// Two rows of luma and their row of chroma, as samples of 16 bits, whole blocks of them.
typedef struct rows {
    uint16_t *luma[2], *chroma[2];
} rows;

// read_row reads a row of a plane. Samples beyond their depth, which no decoder should write, become the largest.
static void read_row(uint16_t *restrict to, const sc_image *from, int plane, int y)
{
    const uint8_t *row = from->data[plane] + (ptrdiff_t)y * from->stride[plane];
    const uint16_t *words = (const void *)row, most = (uint16_t)((1u << from->depth) - 1);
    int width = sc_image_width(from, plane);
    if (from->depth > 8) {
        for (int x = 0; x < width; x++) {
            to[x] = words[x] < most ? words[x] : most;
        }
    } else {
        for (int x = 0; x < width; x++) {
            to[x] = row[x];
        }
    }
    to[width] = to[width - 1]; // for a last pair of its own
}

// read_chroma reads a row of chroma as 4:2:0 has it, the mean of what stands for the same pixels. spare has room for two
// rows of luma.
static void read_chroma(uint16_t *restrict to, const sc_image *from, int plane, int y, uint16_t *restrict spare)
{
    int height = sc_image_height(from, plane), half = (from->width + 1) / 2;
    if (from->shift_x == 1 && from->shift_y == 1) {
        read_row(to, from, plane, y);
        return;
    }
    int step_x = 2 >> from->shift_x, step_y = 2 >> from->shift_y;
    int upper = y * step_y, lower = upper + step_y - 1 < height ? upper + step_y - 1 : height - 1;
    uint16_t *below = spare + from->width + 1;
    read_row(spare, from, plane, upper);
    read_row(below, from, plane, lower);
    for (int x = 0; x < half; x++) {
        int left = x * step_x, right = left + step_x - 1;
        to[x] = (uint16_t)((spare[left] + spare[right] + below[left] + below[right] + 2) / 4);
    }
}

static inline uint8_t to_byte(float value)
{
    return (uint8_t)(int32_t)(sc_clamp(value, 255) + 0.5F);
}

// What luma of grey pixels becomes in a block: times a factor and plus an addend.
typedef struct tint {
    float factor[2 * sc_block], addend[2 * sc_block];
} tint;

// map_chroma shows blocks of four pixels by their mean.
static void map_chroma(const sc_mapping *m, const rows *in, int x, uint8_t *restrict cb, uint8_t *restrict cr, tint *restrict t)
{
    const uint16_t *upper = in->luma[0] + 2 * x, *lower = in->luma[1] + 2 * x;
    const uint16_t *in_cb = in->chroma[0] + x, *in_cr = in->chroma[1] + x;
    sc_colours v;
    float luma[sc_block], grey[sc_block];
    for (int i = 0; i < sc_block; i++) {
        float mean = (float)(upper[2 * i] + upper[2 * i + 1] + lower[2 * i] + lower[2 * i + 1]) * 0.25F;
        float signal = (mean - m->luma_offset) * m->luma_scale;
        float b = (float)in_cb[i] - m->chroma_offset, r = (float)in_cr[i] - m->chroma_offset;
        v.c[0][i] = signal + r * m->red_cr;
        v.c[1][i] = signal + b * m->green_cb + r * m->green_cr;
        v.c[2][i] = signal + b * m->blue_cb;
        luma[i] = mean;
    }
    for (int i = 0; i < sc_block; i++) {
        grey[i] = m->neutral[(int32_t)(luma[i] + 0.5F)];
    }
    sc_mapping_show(m, &v);
    const float dark = 4; // where proportions are of no use
    for (int i = 0; i < sc_block; i++) {
        float l = 0.299F * v.c[0][i] + 0.587F * v.c[1][i] + 0.114F * v.c[2][i];
        cb[i] = to_byte(128 + (v.c[2][i] - l) * (0.5F / 0.886F));
        cr[i] = to_byte(128 + (v.c[0][i] - l) * (0.5F / 0.701F));
        float factor = grey[i] > dark ? l / grey[i] : 1, addend = grey[i] > dark ? 0 : l - grey[i];
        t->factor[2 * i] = t->factor[2 * i + 1] = factor;
        t->addend[2 * i] = t->addend[2 * i + 1] = addend;
    }
}

static void map_luma(const sc_mapping *m, const uint16_t *restrict in, uint8_t *restrict out, const tint *restrict t)
{
    float grey[2 * sc_block];
    for (int i = 0; i < 2 * sc_block; i++) {
        grey[i] = m->neutral[in[i]];
    }
    for (int i = 0; i < 2 * sc_block; i++) {
        out[i] = to_byte(grey[i] * t->factor[i] + t->addend[i]);
    }
}

// map_rows maps two rows of luma and one of chroma, of which half are samples. Four pixels that share one chroma are shown
// together: their mean exactly, and each of them by how a grey pixel of its luma differs from a grey one of the mean's. On
// the curves of HDR an equal chroma means equal proportions of red, green and blue, so this is a matter of proportion, too.
static void map_rows(const sc_mapping *m, const rows *in, const sc_target *to, int width)
{
    int half = (width + 1) / 2;
    for (int x = 0; x < half; x += sc_block) {
        uint8_t luma[2][2 * sc_block], cb[sc_block], cr[sc_block];
        tint t;
        map_chroma(m, in, x, cb, cr, &t);
        map_luma(m, in->luma[0] + 2 * x, luma[0], &t);
        map_luma(m, in->luma[1] + 2 * x, luma[1], &t);
        size_t samples = (size_t)(half - x < sc_block ? half - x : sc_block);
        size_t pixels = (size_t)(width - 2 * x < 2 * sc_block ? width - 2 * x : 2 * sc_block);
        memcpy(to->cb + x, cb, samples);
        memcpy(to->cr + x, cr, samples);
        memcpy(to->luma[0] + 2 * x, luma[0], pixels);
        if (to->luma[1]) { // not below the last row
            memcpy(to->luma[1] + 2 * x, luma[1], pixels);
        }
    }
}

static int map(const sc_image *to, const sc_image *from, const sc_mapping *m)
{
    size_t samples = ((size_t)(from->width + 1) / 2 / sc_block + 1) * sc_block; // more than half of the width
    uint16_t *memory = calloc(samples * 10, sizeof *memory);
    if (!memory) {
        return AVERROR(ENOMEM);
    }
    rows in = {.luma = {memory, memory + 2 * samples}, .chroma = {memory + 4 * samples, memory + 5 * samples}};
    uint16_t *spare = memory + 6 * samples;
    for (int y = 0; y < (from->height + 1) / 2; y++) {
        int below = 2 * y + 1 < from->height;
        read_row(in.luma[0], from, 0, 2 * y);
        read_row(in.luma[1], from, 0, 2 * y + below);
        read_chroma(in.chroma[0], from, 1, y, spare);
        read_chroma(in.chroma[1], from, 2, y, spare);
        uint8_t *upper = to->data[0] + (ptrdiff_t)y * 2 * to->stride[0];
        sc_target out = {
            .luma = {upper, below ? upper + to->stride[0] : NULL},
            .cb = to->data[1] + (ptrdiff_t)y * to->stride[1],
            .cr = to->data[2] + (ptrdiff_t)y * to->stride[2],
        };
        map_rows(m, &in, &out, from->width);
    }
    free(memory);
    return 0;
}

int sc_tonemap(sc_image *to, const sc_image *from, const AVFrame *frame, int full_range)
{
    enum AVColorSpace matrix = frame->colorspace;
    if (matrix == AVCOL_SPC_UNSPECIFIED || matrix == AVCOL_SPC_RESERVED || matrix == AVCOL_SPC_RGB) {
        matrix = AVCOL_SPC_BT2020_NCL;
    }
    const sc_weights *weights = sc_colour_weights(matrix, frame->color_primaries, frame->width, frame->height);
    if (!weights || from->planes < 3) {
        return SC_UNSUPPORTED;
    }
    sc_mapping *m = sc_mapping_make(frame, from->depth, weights, full_range);
    if (!m) {
        return AVERROR(ENOMEM);
    }
    *to = *from;
    to->shift_x = 1;
    to->shift_y = 1;
    to->depth = 8;
    int code = sc_image_allocate(to);
    if (code == 0) {
        code = map(to, from, m);
    }
    free(m);
    return code;
}
