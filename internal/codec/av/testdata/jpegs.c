// Compares the JPEGs of sc_jpeg_encode with libjpeg's, and measures both. Built and run by TestJPEGsAreThoseOfLibjpeg and
// BenchmarkBaseline.

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "baseline.h"
#include "jpeg.h"

static uint32_t state = 1;

static uint32_t next_random(void)
{
    state = state * 1664525 + 1013904223;
    return state >> 8;
}

// A way to make samples: the value at a place.
typedef int content(int x, int y, int plane);

static int noise(int x, int y, int plane)
{
    (void)x, (void)y, (void)plane;
    return (int)(next_random() & 255);
}

// extremes makes the largest coefficients that there can be.
static int extremes(int x, int y, int plane)
{
    uint32_t block = (uint32_t)(x / 8) * 2654435761U ^ (uint32_t)(y / 8) * 40503U;
    int u = (int)(block >> 8 & 7), v = (int)(block >> 11 & 7), sign = (int)(block >> 14 & 1) + plane;
    double wave = cos((2 * (x % 8) + 1) * u * M_PI / 16) * cos((2 * (y % 8) + 1) * v * M_PI / 16);
    return (wave >= 0) ^ (sign & 1) ? 255 : 0;
}

static int flat(int x, int y, int plane)
{
    (void)x, (void)y;
    return 40 + 70 * plane;
}

// scene has smooth parts, edges and grain.
static int scene(int x, int y, int plane)
{
    double wave = 60 * sin(x / 37.0 + plane) + 50 * cos(y / 23.0 + x / 71.0);
    int edge = (x / 50 + y / 31) % 3 * 20;
    return (int)(110 + wave) / 2 + edge + (int)(next_random() % 9);
}

static sc_picture make(int width, int height, content *content, int converted)
{
    sc_picture picture = {.frame = av_frame_alloc()};
    AVFrame *frame = picture.frame;
    frame->format = AV_PIX_FMT_YUV420P;
    frame->width = width;
    frame->height = height;
    if (av_frame_get_buffer(frame, 0) < 0) {
        abort();
    }
    for (int plane = 0; plane < 3; plane++) {
        int w = plane ? (width + 1) / 2 : width, h = plane ? (height + 1) / 2 : height;
        for (int y = 0; y < h; y++) {
            for (int x = 0; x < w; x++) {
                int value = content(x, y, plane);
                frame->data[plane][y * frame->linesize[plane] + x] = (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
            }
        }
    }
    if (converted) {
        sc_colour_init(&picture.colour, sc_colour_weights(AVCOL_SPC_BT709, AVCOL_PRI_BT709, width, height), 0);
    }
    return picture;
}

static int compare(const sc_picture *picture, int quality, const char *name)
{
    sc_jpeg own, wanted;
    int code = sc_jpeg_encode(&own, picture, quality, 0);
    int wanted_code = sc_jpeg_encode_by_library(&wanted, picture, quality, 0);
    if (code != wanted_code) {
        printf("%s %dx%d, quality %d: error %d, wanted %d\n", name, picture->frame->width, picture->frame->height, quality, code,
               wanted_code);
        return 1;
    }
    size_t at = 0;
    while (at < own.size && at < wanted.size && own.bytes[at] == wanted.bytes[at]) {
        at++;
    }
    int differ = at != own.size || at != wanted.size;
    if (differ) {
        printf("%s %dx%d, quality %d: of %zu bytes the first %zu are those of %zu\n", name, picture->frame->width,
               picture->frame->height, quality, own.size, at, wanted.size);
    }
    free(own.bytes);
    free(wanted.bytes);
    return differ;
}

static const struct {
    const char *name;
    content *make;
} contents[] = {{"noise", noise}, {"extremes", extremes}, {"flat", flat}, {"scene", scene}};

enum { content_count = sizeof contents / sizeof *contents };

static int compare_all(void)
{
    static const int sizes[][2] = {{1, 1}, {2, 3}, {8, 8}, {15, 17}, {16, 16}, {17, 33}, {160, 96}, {323, 181}, {1, 400}, {400, 1}};
    int differ = 0, compared = 0;
    for (int c = 0; c < content_count; c++) {
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            sc_picture picture = make(sizes[s][0], sizes[s][1], contents[c].make, s % 2 == 0);
            for (int quality = 1; quality <= 100; quality++) {
                differ += compare(&picture, quality, contents[c].name);
                compared++;
            }
            av_frame_free(&picture.frame);
        }
    }
    printf("%d JPEGs %s compared with libjpeg's, %d differ\n", compared, sc_baseline_runs() ? "of our own" : "of libjpeg", differ);
    return differ;
}

typedef int encode(sc_jpeg *out, const sc_picture *picture, int quality, int progressive);

// least is the CPU time of one encoding in milliseconds, the least of some.
static double least(encode *encode, const sc_picture *picture)
{
    double best = INFINITY;
    for (int i = 0; i < 30; i++) {
        struct timespec from, to;
        sc_jpeg out;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        if (encode(&out, picture, 85, 0) < 0) {
            abort();
        }
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
        free(out.bytes);
        double spent = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
        best = spent < best ? spent : best;
    }
    return best;
}

static void measure(void)
{
    sc_picture picture = make(1920, 1080, scene, 1);
    printf("own %f\n", least(sc_jpeg_encode, &picture));
    printf("libjpeg %f\n", least(sc_jpeg_encode_by_library, &picture));
    av_frame_free(&picture.frame);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "measure") == 0) {
        measure();
        return 0;
    }
    return compare_all() != 0;
}
