#include "detail.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "rowsum.h"

enum {
    row_step = 4, // every fourth row is enough
};

// A part is where a cell begins and ends on a side. It has at least one pixel.
typedef struct part {
    int start, end;
} part;

static part part_of(int cell, int cells, int side)
{
    int start = (int)((int64_t)cell * side / cells), end = (int)((int64_t)(cell + 1) * side / cells);
    return (part){start, end > start ? end : start + 1};
}

// detail_of_rows returns the sum of the variances of a row of cells. sums and squares have room for the image's width.
static double detail_of_rows(const sc_image *image, part rows, int cells, uint32_t *sums, uint32_t *squares)
{
    size_t size = (size_t)image->width * sizeof *sums;
    memset(sums, 0, size);
    memset(squares, 0, size);
    int count = 0;
    for (ptrdiff_t y = rows.start; y < rows.end; y += row_step, count++) {
        sc_rowsum_squares(sums, squares, image->data[0] + y * image->stride[0], image->width);
    }
    double total = 0;
    for (int i = 0; i < cells; i++) {
        part columns = part_of(i, cells, image->width);
        uint64_t sum = 0, square = 0;
        for (int x = columns.start; x < columns.end; x++) {
            sum += sums[x];
            square += squares[x];
        }
        double pixels = (double)count * (columns.end - columns.start), mean = (double)sum / pixels;
        total += (double)square / pixels - mean * mean;
    }
    return total;
}

int sc_detail(double *variance, const sc_image *image, int cells)
{
    if (image->depth > 8) {
        return SC_UNSUPPORTED;
    }
    uint32_t *sums = malloc((size_t)image->width * sizeof *sums);
    uint32_t *squares = malloc((size_t)image->width * sizeof *squares);
    int code = sums && squares ? 0 : AVERROR(ENOMEM);
    double total = 0;
    for (int i = 0; code == 0 && i < cells; i++) {
        total += detail_of_rows(image, part_of(i, cells, image->height), cells, sums, squares);
    }
    free(sums);
    free(squares);
    *variance = total / ((double)cells * cells);
    return code;
}
