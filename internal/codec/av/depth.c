#include "depth.h"

#include <math.h>

static inline uint8_t clamp_byte(int value)
{
    return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void narrow_row(const uint16_t *restrict from, uint8_t *restrict to, int width, int shift)
{
    // The largest samples would round up to 256.
    const uint16_t half = (uint16_t)(1u << (shift - 1)), most = (uint16_t)(255u << shift);
    for (int x = 0; x < width; x++) {
        uint16_t sample = from[x] < most ? from[x] : most;
        to[x] = (uint8_t)((uint16_t)(sample + half) >> shift);
    }
}

int sc_narrow(sc_image *to, const sc_image *from)
{
    *to = *from;
    to->depth = 8;
    int code = sc_image_allocate(to);
    for (int i = 0; code == 0 && i < to->planes; i++) {
        for (ptrdiff_t y = 0; y < sc_image_height(to, i); y++) {
            const uint16_t *row = (const uint16_t *)(from->data[i] + y * from->stride[i]);
            narrow_row(row, to->data[i] + y * to->stride[i], sc_image_width(to, i), from->depth - 8);
        }
    }
    return code;
}

// Weights of green, blue and red for one component of JPEG, in 1/65536 of a step of it.
typedef struct mix {
    int weights[3];
    int64_t offset;
} mix;

enum { mix_bits = 16 };

static mix make_mix(const double weights[3], double centre, int depth)
{
    mix m = {.offset = llrint((centre + 0.5) * (1 << mix_bits))};
    for (int i = 0; i < 3; i++) {
        m.weights[i] = (int)lrint(weights[i] * 255 / ((1 << depth) - 1) * (1 << mix_bits));
    }
    return m;
}

static void mix_row(const mix *m, const sc_image *from, ptrdiff_t y, uint8_t *restrict to)
{
    const uint8_t *rows[3];
    for (int i = 0; i < 3; i++) {
        rows[i] = from->data[i] + y * from->stride[i];
    }
    for (int x = 0; x < from->width; x++) {
        int64_t sum = m->offset;
        for (int i = 0; i < 3; i++) {
            int sample = from->depth > 8 ? ((const uint16_t *)rows[i])[x] : rows[i][x];
            sum += (int64_t)m->weights[i] * sample;
        }
        to[x] = clamp_byte((int)(sum >> mix_bits));
    }
}

int sc_from_rgb(sc_image *to, const sc_image *from)
{
    static const struct {
        double weights[3], centre;
    } components[3] = {
        {{0.587, 0.114, 0.299}, 0},
        {{-0.587 / 1.772, 0.5, -0.299 / 1.772}, 128},
        {{-0.587 / 1.402, -0.114 / 1.402, 0.5}, 128},
    };
    *to = *from;
    to->depth = 8;
    int code = sc_image_allocate(to);
    for (int i = 0; code == 0 && i < 3; i++) {
        mix m = make_mix(components[i].weights, components[i].centre, from->depth);
        for (ptrdiff_t y = 0; y < to->height; y++) {
            mix_row(&m, from, y, to->data[i] + y * to->stride[i]);
        }
    }
    return code;
}
