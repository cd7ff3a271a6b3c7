#ifndef STILLCAST_MAPPING_H
#define STILLCAST_MAPPING_H

#include <stdint.h>

#include <libavutil/frame.h>

#include "colour.h"

enum {
    sc_signal_steps = 4096,
    // Tables by light are as fine for the dark as for the bright: an octave has 1<<sc_octave_bits steps.
    sc_octave_bits = 9,
    sc_light_steps = 13 << sc_octave_bits,
    sc_block = 64, // colours that are worked on together, so that the compiler can do several in one instruction
};

// A function of light, from top/8192 to top.
typedef struct sc_light_table {
    float top;
    float values[sc_light_steps];
} sc_light_table;

// A way from high dynamic range to sRGB: all that does not change from one pixel to the next. Light is in units of white;
// that of HLG's scene in those of its most.
typedef struct sc_mapping {
    float luma_offset, luma_scale; // from samples to signals
    float chroma_offset;
    float red_cr, green_cb, green_cr, blue_cb;
    int depth;
    int hlg;
    const float (*primaries)[3];
    float light[sc_signal_steps]; // by signal
    sc_light_table system;        // HLG: what light of the scene is multiplied by, by its luminance
    sc_light_table gain;          // what light is multiplied by to fit under white, by its largest component
    sc_light_table encoded;       // sRGB's byte, not rounded
    float neutral[];              // JPEG's luma, by the sample of a grey pixel
} sc_mapping;

// Red, green and blue.
typedef struct sc_colours {
    float c[3][sc_block];
} sc_colours;

// sc_mapping_make makes the way for a frame of samples of a depth, NULL without memory. free it.
sc_mapping *sc_mapping_make(const AVFrame *frame, int depth, const sc_weights *weights, int full_range);

// sc_mapping_show turns signals into what sRGB has for them, as bytes that are not rounded.
void sc_mapping_show(const sc_mapping *m, sc_colours *colours);

#endif
