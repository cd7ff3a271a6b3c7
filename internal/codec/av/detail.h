#ifndef STILLCAST_DETAIL_H
#define STILLCAST_DETAIL_H

#include "image.h"

// sc_detail finds the variance of luma inside of the parts of an image of 8 bits, cells x cells of them, on the average: what
// a picture of so many pixels does not show.
int sc_detail(double *variance, const sc_image *image, int cells);

#endif
