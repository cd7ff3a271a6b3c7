#ifndef STILLCAST_MEASURE_H
#define STILLCAST_MEASURE_H

#include <stdint.h>

#include "picture.h"
#include "upright.h"

enum {
    sc_cells = 64, // that a frame is measured by, across and down
};

// What sc_measure finds, of luma in JPEG's full range.
typedef struct sc_measures {
    double mean, variance;
    int black, solid;
    uint64_t hash;
} sc_measures;

// sc_measure measures a frame by its picture of 64x64 pixels, the cells, and by what is lost in that picture.
int sc_measure(sc_measures *out, const sc_upright *frame, const sc_picture *cells);

#endif
