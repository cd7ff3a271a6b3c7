#ifndef STILLCAST_AREA_H
#define STILLCAST_AREA_H

#include <stdint.h>

// A plane of bytes. The stride may be negative.
typedef struct sc_plane {
    uint8_t *data;
    int stride;
    int width, height;
} sc_plane;

// sc_area_scale makes a plane smaller, or of equal size, along both sides: each sample becomes the mean of the area that it
// stands for, parts of samples included, rounded.
int sc_area_scale(const sc_plane *to, const sc_plane *from);

#endif
