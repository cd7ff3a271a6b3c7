// Compares every way of colour conversion that this processor has with the portable one, and measures them. Built and
// run by TestRowsAreTheSameEveryWay and BenchmarkColour.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rows.h"

enum { most = 200, guard = 64, rounds = 4 };

typedef struct way {
    const char *name;
    sc_convert_rows *convert;
    int usable;
} way;

static uint32_t state = 1;

static uint8_t random_byte(void)
{
    state = state * 1664525 + 1013904223;
    uint8_t byte = (uint8_t)(state >> 24);
    // The ends are where rounding and clipping are.
    return (state >> 20 & 7) == 0 ? (uint8_t)(byte & 1 ? 255 : 0) : byte;
}

// Everything that a conversion reads and writes, with bytes around the rows that must stay as they are.
typedef struct buffers {
    uint8_t in[4][most + 2 * guard], out[4][most + 2 * guard];
    int16_t scratch[2 * most + 2];
} buffers;

static void convert(const way *w, const sc_colour *colour, buffers *b, int width)
{
    memset(b->out, 0xa5, sizeof b->out);
    sc_rows from = {.luma = {b->in[0] + guard, b->in[1] + guard}, .cb = b->in[2] + guard, .cr = b->in[3] + guard};
    sc_target to = {.luma = {b->out[0] + guard, b->out[1] + guard}, .cb = b->out[2] + guard, .cr = b->out[3] + guard, .scratch = b->scratch};
    w->convert(colour, &from, &to, width);
}

static int is_written(int plane, int at, int width)
{
    int even = (width + 1) / 2 * 2;
    return at >= guard && at < guard + (plane < 2 ? even : even / 2);
}

static int compare(const way *w, const sc_colour *colour, buffers *b, buffers *reference, int width)
{
    convert(w, colour, b, width);
    for (int plane = 0; plane < 4; plane++) {
        for (int i = 0; i < most + 2 * guard; i++) {
            int beyond = plane < 2 && i == guard + width; // room that a way may use or not
            uint8_t want = is_written(plane, i, width) ? reference->out[plane][i] : 0xa5;
            if (!beyond && b->out[plane][i] != want) {
                printf("%s: width %d, plane %d, sample %d: %d, wanted %d\n", w->name, width, plane, i - guard, b->out[plane][i], want);
                return 1;
            }
        }
    }
    return 0;
}

static const enum AVColorSpace matrices[] = {AVCOL_SPC_BT709, AVCOL_SPC_SMPTE170M, AVCOL_SPC_BT2020_NCL, AVCOL_SPC_SMPTE240M, AVCOL_SPC_FCC};

static int check(const way *ways, int count)
{
    static buffers b, reference;
    int faults = 0;
    for (int i = 0; i < 2 * (int)(sizeof matrices / sizeof *matrices); i++) {
        sc_colour colour;
        sc_colour_init(&colour, sc_colour_weights(matrices[i / 2], AVCOL_PRI_UNSPECIFIED, 0, 0), i % 2);
        for (int width = 1; width <= most; width++) {
            for (int round = 0; round < rounds; round++) {
                for (size_t j = 0; j < sizeof b.in; j++) {
                    (&b.in[0][0])[j] = random_byte();
                }
                memcpy(reference.in, b.in, sizeof b.in);
                convert(&ways[0], &colour, &reference, width);
                for (int k = 1; k < count; k++) {
                    faults += ways[k].usable && compare(&ways[k], &colour, &b, &reference, width);
                }
            }
        }
    }
    return faults;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

// measure prints the milliseconds of one picture of 1920x1080, row by row from one small strip to another.
static void measure(const way *w)
{
    enum { width = 1920, height = 1080, pictures = 50 };
    static uint8_t in[4][width], out[4][width];
    static int16_t scratch[2 * width];
    sc_colour colour;
    sc_colour_init(&colour, sc_colour_weights(AVCOL_SPC_BT709, AVCOL_PRI_UNSPECIFIED, 0, 0), 0);
    sc_rows from = {.luma = {in[0], in[1]}, .cb = in[2], .cr = in[3]};
    sc_target to = {.luma = {out[0], out[1]}, .cb = out[2], .cr = out[3], .scratch = scratch};
    double begin = seconds();
    for (int i = 0; i < pictures * height / 2; i++) {
        in[i % 4][i % width] = (uint8_t)i;
        w->convert(&colour, &from, &to, width);
    }
    printf("%s %.4f\n", w->name, (seconds() - begin) * 1e3 / pictures);
}

int main(int argc, char **argv)
{
    const way ways[] = {
        {"portable", sc_rows_portable, 1},
#if defined(SC_ROWS_AVX2)
        {"avx2", sc_rows_avx2, __builtin_cpu_supports("avx2")},
#elif defined(SC_ROWS_NEON)
        {"neon", sc_rows_neon, 1},
#endif
        {"chosen", sc_colour_convert, 1},
    };
    const int count = sizeof ways / sizeof *ways;
    if (argc > 1 && strcmp(argv[1], "measure") == 0) {
        for (int i = 0; i < count; i++) {
            if (ways[i].usable) {
                measure(&ways[i]);
            }
        }
        return 0;
    }
    for (int i = 0; i < count; i++) {
        printf("%s %s\n", ways[i].name, ways[i].usable ? "compared" : "not on this processor");
    }
    return check(ways, count) == 0 ? 0 : 1;
}
