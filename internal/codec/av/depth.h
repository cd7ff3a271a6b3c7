#ifndef STILLCAST_DEPTH_H
#define STILLCAST_DEPTH_H

#include "image.h"

// sc_narrow makes an image of 8 bits of one of more, rounding.
int sc_narrow(sc_image *to, const sc_image *from);

// sc_from_rgb makes an image in JPEG's colours (BT.601, full range, 4:4:4, 8 bits) of green, blue and red. These are
// always of full range: what the streams say of it is said of a luma that they do not have.
int sc_from_rgb(sc_image *to, const sc_image *from);

#endif
