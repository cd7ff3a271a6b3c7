#include "floats.h"

#include "mapping.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/mastering_display_metadata.h>

#include "curve.h"

// What is white in the JPEG: HDR's own reference white for paper and captions (ITU-R BT.2408, 2.1) stands a little below.
static const double white = 203;
// What HLG is shown at, and PQ that does not say how bright it is.
static const double usual_peak = 1000;
static const double hlg_gamma = 1.2; // of a screen of the usual peak (ITU-R BT.2100, table 5)

// Red, green and blue of sRGB by those of other primaries (from the chromaticities of ITU-T H.273, table 2).
static const float from_2020[3][3] = {{1.6605F, -0.5876F, -0.0729F}, {-0.1246F, 1.1329F, -0.0083F}, {-0.0182F, -0.1006F, 1.1188F}};
static const float from_p3[3][3] = {{1.2249F, -0.2249F, 0}, {-0.0420F, 1.0420F, 0}, {-0.0197F, -0.0786F, 1.0983F}};
static const float from_709[3][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};

// peak_of returns the light of the brightest pixel of a stream of PQ, as far as it says it.
static double peak_of(const AVFrame *frame)
{
    double peak = usual_peak;
    const AVFrameSideData *content = av_frame_get_side_data(frame, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL);
    const AVFrameSideData *screen = av_frame_get_side_data(frame, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA);
    const AVContentLightMetadata *light = content ? (const void *)content->data : NULL;
    const AVMasteringDisplayMetadata *mastering = screen ? (const void *)screen->data : NULL;
    if (light && light->MaxCLL > 0) {
        peak = light->MaxCLL;
    } else if (mastering && mastering->has_luminance && mastering->max_luminance.den > 0) {
        peak = av_q2d(mastering->max_luminance);
    }
    return fmin(fmax(peak, white), 10000);
}

static inline int32_t bits_of(float value)
{
    int32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

// light_at is the light that step i of a table is for; read reads tables. The bits of a number are its logarithm, roughly.
enum { dropped_bits = 23 - sc_octave_bits };

static float light_at(const sc_light_table *table, int i)
{
    int32_t bits = bits_of(table->top) - ((sc_light_steps - 1 - i) << dropped_bits);
    float light;
    memcpy(&light, &bits, sizeof light);
    return light;
}

static void read(float *out, const sc_light_table *table, const float *light)
{
    int32_t index[sc_block];
    const int32_t top = bits_of(table->top) + (1 << (dropped_bits - 1));
    for (int i = 0; i < sc_block; i++) {
        int32_t step = sc_light_steps - 1 - ((top - bits_of(light[i])) >> dropped_bits);
        step = step < 0 ? 0 : step;
        index[i] = step > sc_light_steps - 1 ? sc_light_steps - 1 : step;
    }
    for (int i = 0; i < sc_block; i++) {
        out[i] = table->values[index[i]];
    }
}

static void read_signals(float *restrict values, const float *restrict table)
{
    int32_t index[sc_block];
    for (int i = 0; i < sc_block; i++) {
        index[i] = (int32_t)(sc_clamp(values[i], 1) * (sc_signal_steps - 1) + 0.5F);
    }
    for (int i = 0; i < sc_block; i++) {
        values[i] = table[index[i]];
    }
}

static void multiply(sc_colours *restrict v, const float *restrict factor)
{
    for (int c = 0; c < 3; c++) {
        for (int i = 0; i < sc_block; i++) {
            v->c[c][i] *= factor[i];
        }
    }
}

// change_primaries makes sRGB's red, green and blue, which may lie outside of what it has.
static void change_primaries(sc_colours *restrict v, const float m[3][3])
{
    for (int i = 0; i < sc_block; i++) {
        float red = v->c[0][i], green = v->c[1][i], blue = v->c[2][i];
        for (int c = 0; c < 3; c++) {
            v->c[c][i] = m[c][0] * red + m[c][1] * green + m[c][2] * blue;
        }
    }
}

// fit brings colours into sRGB by making them paler, not by cutting components off: that would turn their hue.
static void fit(sc_colours *restrict v)
{
    const float least = 1e-6F;
    for (int i = 0; i < sc_block; i++) {
        float red = v->c[0][i], green = v->c[1][i], blue = v->c[2][i];
        float luminance = sc_clamp(0.2126F * red + 0.7152F * green + 0.0722F * blue, 1);
        float most = sc_larger(red, sc_larger(green, blue)), low = sc_lesser(red, sc_lesser(green, blue));
        float above = sc_larger(most - 1, 0) / sc_larger(most - luminance, least);
        float below = sc_larger(-low, 0) / sc_larger(luminance - low, least);
        float keep = 1 - sc_larger(above, below);
        for (int c = 0; c < 3; c++) {
            v->c[c][i] = sc_clamp(luminance + (v->c[c][i] - luminance) * keep, 1);
        }
    }
}

void sc_mapping_show(const sc_mapping *m, sc_colours *v)
{
    float key[sc_block], factor[sc_block];
    for (int c = 0; c < 3; c++) {
        read_signals(v->c[c], m->light);
    }
    if (m->hlg) {
        for (int i = 0; i < sc_block; i++) {
            key[i] = 0.2627F * v->c[0][i] + 0.6780F * v->c[1][i] + 0.0593F * v->c[2][i];
        }
        read(factor, &m->system, key);
        multiply(v, factor);
    }
    for (int i = 0; i < sc_block; i++) {
        key[i] = sc_larger(v->c[0][i], sc_larger(v->c[1][i], v->c[2][i]));
    }
    read(factor, &m->gain, key);
    multiply(v, factor);
    change_primaries(v, m->primaries);
    fit(v);
    for (int c = 0; c < 3; c++) {
        read(v->c[c], &m->encoded, v->c[c]);
    }
}

static void set_curves(sc_mapping *m, double peak)
{
    for (int i = 0; i < sc_signal_steps; i++) {
        double signal = (double)i / (sc_signal_steps - 1);
        m->light[i] = (float)(m->hlg ? sc_hlg_scene(signal) : fmin(sc_pq_light(signal), peak) / white);
    }
    m->system.top = 1;
    m->gain.top = (float)(peak / white);
    m->encoded.top = 1;
    for (int i = 0; i < sc_light_steps; i++) {
        if (m->hlg) {
            m->system.values[i] = (float)(pow(light_at(&m->system, i), hlg_gamma - 1) * usual_peak / white);
        }
        double light = light_at(&m->gain, i) * white;
        m->gain.values[i] = (float)(sc_compress(light, peak, white) / light);
        m->encoded.values[i] = (float)(255 * sc_srgb_signal(light_at(&m->encoded, i)));
    }
    m->encoded.values[0] = 0;
}

static void set_samples(sc_mapping *m, const sc_weights *w, int full_range)
{
    double steps = (1 << m->depth) - 1, one = 1 << (m->depth - 8);
    double luma_span = full_range ? steps : 219 * one, chroma_span = full_range ? steps : 224 * one;
    double green = 1 - w->red - w->blue;
    m->luma_offset = full_range ? 0 : (float)(16 * one);
    m->luma_scale = (float)(1 / luma_span);
    m->chroma_offset = (float)(128 * one);
    m->red_cr = (float)(2 * (1 - w->red) / chroma_span);
    m->blue_cb = (float)(2 * (1 - w->blue) / chroma_span);
    m->green_cb = (float)(-2 * (1 - w->blue) * w->blue / green / chroma_span);
    m->green_cr = (float)(-2 * (1 - w->red) * w->red / green / chroma_span);
}

static void set_neutral(sc_mapping *m, size_t samples)
{
    for (size_t first = 0; first < samples; first += sc_block) {
        sc_colours v;
        for (size_t i = 0; i < sc_block; i++) {
            float signal = ((float)(first + i) - m->luma_offset) * m->luma_scale;
            v.c[0][i] = v.c[1][i] = v.c[2][i] = signal;
        }
        sc_mapping_show(m, &v);
        memcpy(m->neutral + first, v.c[1], sizeof v.c[1]);
    }
}

sc_mapping *sc_mapping_make(const AVFrame *frame, int depth, const sc_weights *weights, int full_range)
{
    size_t samples = (size_t)1 << depth;
    sc_mapping *m = malloc(sizeof *m + samples * sizeof *m->neutral);
    if (!m) {
        return NULL;
    }
    m->depth = depth;
    m->hlg = frame->color_trc == AVCOL_TRC_ARIB_STD_B67;
    m->primaries = frame->color_primaries == AVCOL_PRI_BT709      ? from_709
                   : frame->color_primaries == AVCOL_PRI_SMPTE432 ? from_p3
                                                                  : from_2020;
    set_curves(m, m->hlg ? usual_peak : peak_of(frame));
    set_samples(m, weights, full_range);
    set_neutral(m, samples);
    return m;
}

