#include "measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "detail.h"

enum {
    all = sc_cells * sc_cells,
    half = sc_cells / 2,
    chroma_all = half * half,
    exceptions = 100, // one cell in so many does not count: a station's logo, a clock, a hot pixel
    // Luma up to which a cell is black. A screen shows 20 as (20/255)^2.4, 1/450 of its white.
    black_most = 20,
    colour_most = 16, // of a black cell: a dark blue of luma 20 has a Cb of 216
    // By how much the cells of one colour may differ from the one in the middle: blocks and banding do not show below.
    solid_most = 5,
    // Variance inside of cells that may be grain (10 is the deviation of a very grainy film); above it is texture, or snow.
    grain_most = 100,
    // The least coefficient of the hash that is seen: a wave of half a step of luma. All that flat pictures have is below.
    hash_least = 8,
    hash_side = 8,
    hash_bits = hash_side * hash_side,
};

// A cell's luma and, for each four of them, chroma.
typedef struct cells {
    uint8_t luma[all], cb[chroma_all], cr[chroma_all];
} cells;

static void convert(cells *to, const sc_picture *picture)
{
    const AVFrame *frame = picture->frame;
    int16_t scratch[2 * sc_cells];
    for (int y = 0; y < half; y++) {
        sc_rows from = {
            .luma = {frame->data[0] + 2 * y * frame->linesize[0], frame->data[0] + (2 * y + 1) * frame->linesize[0]},
            .cb = frame->data[1] + y * frame->linesize[1],
            .cr = frame->data[2] + y * frame->linesize[2],
        };
        sc_target target = {
            .luma = {to->luma + 2 * y * sc_cells, to->luma + (2 * y + 1) * sc_cells},
            .cb = to->cb + y * half,
            .cr = to->cr + y * half,
            .scratch = scratch,
        };
        sc_colour_convert(&picture->colour, &from, &target, sc_cells);
    }
}

static void mean_and_variance(sc_measures *out, const cells *c)
{
    double sum = 0, squares = 0;
    for (int i = 0; i < all; i++) {
        sum += c->luma[i];
        squares += c->luma[i] * c->luma[i];
    }
    out->mean = sum / all;
    out->variance = squares / all - out->mean * out->mean;
}

// median returns the value below which are half of the values that are counted in histogram.
static int median(const int histogram[256], int count)
{
    int below = 0;
    for (int v = 0; v < 256; v++) {
        below += histogram[v];
        if (2 * below > count) {
            return v;
        }
    }
    return 255;
}

// is_even reports whether the values are all one, but for a few.
static int is_even(const uint8_t *values, int count)
{
    int histogram[256] = {0};
    for (int i = 0; i < count; i++) {
        histogram[values[i]]++;
    }
    int middle = median(histogram, count), others = 0;
    for (int v = 0; v < 256; v++) {
        others += abs(v - middle) > solid_most ? histogram[v] : 0;
    }
    return others <= count / exceptions;
}

static int is_black(const cells *c)
{
    int lit = 0, coloured = 0;
    for (int i = 0; i < all; i++) {
        lit += c->luma[i] > black_most;
    }
    for (int i = 0; i < chroma_all; i++) {
        coloured += abs(c->cb[i] - 128) > colour_most || abs(c->cr[i] - 128) > colour_most;
    }
    return lit <= all / exceptions && coloured <= chroma_all / exceptions;
}

static int by_value(const void *a, const void *b)
{
    float left = *(const float *)a, right = *(const float *)b;
    return (left > right) - (left < right);
}

// transform gives the 8x8 lowest coefficients of the orthonormal discrete cosine transform of 32x32 values.
static void transform(float to[hash_side][hash_side], float from[half][half])
{
    float waves[hash_side][half], across[half][hash_side];
    for (int u = 0; u < hash_side; u++) {
        float amplitude = sqrtf((u > 0 ? 2.F : 1.F) / half);
        for (int x = 0; x < half; x++) {
            waves[u][x] = cosf((float)M_PI / half * ((float)x + .5F) * (float)u) * amplitude;
        }
    }
    for (int y = 0; y < half; y++) {
        for (int u = 0; u < hash_side; u++) {
            across[y][u] = 0;
            for (int x = 0; x < half; x++) {
                across[y][u] += waves[u][x] * from[y][x];
            }
        }
    }
    for (int v = 0; v < hash_side; v++) {
        for (int u = 0; u < hash_side; u++) {
            to[v][u] = 0;
            for (int y = 0; y < half; y++) {
                to[v][u] += waves[v][y] * across[y][u];
            }
        }
    }
}

// threshold returns what a coefficient must exceed for its bit to be set. The usual median alone is where most coefficients
// are, and the least noise moves them over it; a third of their mean distance above it are few.
static float threshold(const float *coefficients)
{
    float sorted[hash_bits], distance = 0;
    memcpy(sorted, coefficients, sizeof sorted);
    qsort(sorted, hash_bits, sizeof *sorted, by_value);
    float median = (sorted[hash_bits / 2 - 1] + sorted[hash_bits / 2]) / 2;
    for (int i = 0; i < hash_bits; i++) {
        distance += fabsf(sorted[i] - median) / hash_bits;
    }
    return median + (distance * .3F > hash_least ? distance * .3F : hash_least);
}

static uint64_t hash_of(const cells *c)
{
    float small[half][half], waves[hash_side][hash_side];
    for (int y = 0; y < half; y++) {
        for (int x = 0; x < half; x++) {
            const uint8_t *four = c->luma + 2 * y * sc_cells + 2 * x;
            small[y][x] = (float)(four[0] + four[1] + four[sc_cells] + four[sc_cells + 1]) / 4;
        }
    }
    transform(waves, small);
    waves[0][0] = 0; // the mean, which is told apart from the hash
    float least = threshold(waves[0]);
    uint64_t hash = 0;
    for (int i = 0; i < hash_bits; i++) {
        hash = hash << 1 | (waves[i / hash_side][i % hash_side] > least);
    }
    return hash;
}

int sc_measure(sc_measures *out, const sc_upright *frame, const sc_picture *picture)
{
    if (picture->frame->width != sc_cells || picture->frame->height != sc_cells) {
        return SC_UNSUPPORTED;
    }
    double detail;
    int code = sc_detail(&detail, &frame->image, sc_cells);
    if (code < 0) {
        return code;
    }
    double gain = 1 + (double)frame->colour.yy / 32768; // of luma, to full range
    detail *= gain * gain;
    cells c;
    convert(&c, picture);
    mean_and_variance(out, &c);
    out->variance += detail; // the variance of all is that of the means and the mean one around them
    out->black = is_black(&c);
    out->solid = detail <= grain_most && is_even(c.luma, all) && is_even(c.cb, chroma_all) && is_even(c.cr, chroma_all);
    out->hash = hash_of(&c);
    return 0;
}
