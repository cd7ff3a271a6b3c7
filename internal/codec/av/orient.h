#ifndef STILLCAST_ORIENT_H
#define STILLCAST_ORIENT_H

#include "frame.h"
#include "image.h"

// sc_orient makes an image of 8 bits the right way up.
int sc_orient(sc_image *to, const sc_image *from, sc_orientation orientation);

#endif
