#ifndef STILLCAST_BASELINE_H
#define STILLCAST_BASELINE_H

#include <stdio.h> // jpeglib.h needs it

#include <jpeglib.h>

#include "jpeg.h"

// sc_baseline_runs tells whether this processor has what sc_baseline_encode needs.
int sc_baseline_runs(void);

// sc_baseline_encode makes the very file that libjpeg-turbo makes of a picture, baseline and 4:2:0, with the tables that are
// set up in settings, in two thirds of its time.
int sc_baseline_encode(sc_jpeg *out, const sc_picture *picture, const struct jpeg_compress_struct *settings);

#endif
