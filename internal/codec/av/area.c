#include "area.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "fault.h"
#include "rowsum.h"

enum {
    row_bits = 8,     // the weights of the rows of an area add up to 1<<row_bits
    column_bits = 16, // those of its columns to 1<<column_bits
};

// What of a large side one sample of the small side stands for: from sample start on, each with a weight.
typedef struct span {
    int start, count;
    const int32_t *weights;
} span;

typedef struct spans {
    span *all;
    int32_t *weights;
} spans;

static void spans_free(spans *s)
{
    free(s->all);
    free(s->weights);
}

// fill_span lists the weights of a span: how much of each sample lies in it, rounded so that their sum is exact.
static int fill_span(span *s, int32_t *weights, int index, int small, int large, int bits)
{
    int64_t begin = (int64_t)index * large, end = begin + large; // in 1/small of a sample
    s->start = (int)(begin / small);
    s->count = 0;
    s->weights = weights;
    int64_t before = 0;
    for (int64_t i = s->start; i * small < end; i++) {
        int64_t covered = (i + 1) * small < end ? (i + 1) * small - begin : large;
        int64_t sum = ((covered << bits) + large / 2) / large;
        weights[s->count++] = (int32_t)(sum - before);
        before = sum;
    }
    return s->count;
}

static int spans_make(spans *s, int small, int large, int bits)
{
    s->all = malloc((size_t)small * sizeof *s->all);
    // Neighbours may share a sample.
    s->weights = malloc(((size_t)large + 2 * (size_t)small) * sizeof *s->weights);
    if (!s->all || !s->weights) {
        return AVERROR(ENOMEM);
    }
    int32_t *next = s->weights;
    for (int i = 0; i < small; i++) {
        next += fill_span(&s->all[i], next, i, small, large, bits);
    }
    return 0;
}

static void add_columns(uint8_t *restrict to, const uint16_t *restrict sums, const span *columns, int width)
{
    for (int x = 0; x < width; x++) {
        const span *s = &columns[x];
        uint32_t sum = 1u << (row_bits + column_bits - 1);
        for (int i = 0; i < s->count; i++) {
            sum += (uint32_t)s->weights[i] * sums[s->start + i];
        }
        to[x] = (uint8_t)(sum >> (row_bits + column_bits));
    }
}

static void scale(const sc_plane *to, const sc_plane *from, const spans *rows, const spans *columns, uint16_t *sums)
{
    for (ptrdiff_t y = 0; y < to->height; y++) {
        const span *s = &rows->all[y];
        for (int i = 0; i < s->count; i++) {
            const uint8_t *row = from->data + (ptrdiff_t)(s->start + i) * from->stride;
            (i == 0 ? sc_rowsum_set : sc_rowsum_add)(sums, row, from->width, (uint16_t)s->weights[i]);
        }
        add_columns(to->data + y * to->stride, sums, columns->all, to->width);
    }
}

int sc_area_scale(const sc_plane *to, const sc_plane *from)
{
    spans rows = {0}, columns = {0};
    uint16_t *sums = malloc((size_t)from->width * sizeof *sums);
    int code = sums ? spans_make(&rows, to->height, from->height, row_bits) : AVERROR(ENOMEM);
    if (code == 0) {
        code = spans_make(&columns, to->width, from->width, column_bits);
    }
    if (code == 0) {
        scale(to, from, &rows, &columns, sums);
    }
    spans_free(&rows);
    spans_free(&columns);
    free(sums);
    return code;
}
