#ifndef STILLCAST_SCALE_H
#define STILLCAST_SCALE_H

#include "area.h"

// sc_scale_plane brings a plane to another size: the mean of areas where it becomes smaller, linear between samples where
// it becomes larger.
int sc_scale_plane(const sc_plane *to, const sc_plane *from);

#endif
