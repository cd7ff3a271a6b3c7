#include "rowsum.h"

#define BODY static inline __attribute__((always_inline)) void

BODY set(uint16_t *restrict sums, const uint8_t *restrict row, int width, uint16_t weight)
{
    for (int x = 0; x < width; x++) {
        sums[x] = (uint16_t)(row[x] * weight);
    }
}

BODY add(uint16_t *restrict sums, const uint8_t *restrict row, int width, uint16_t weight)
{
    for (int x = 0; x < width; x++) {
        sums[x] = (uint16_t)(sums[x] + row[x] * weight);
    }
}

BODY add_squares(uint32_t *restrict sums, uint32_t *restrict squares, const uint8_t *restrict row, int width)
{
    for (int x = 0; x < width; x++) {
        uint16_t v = row[x];
        sums[x] += v;
        squares[x] += (uint16_t)(v * v);
    }
}

#if defined(__x86_64__) && defined(__GNUC__)

#define AVX2 __attribute__((target("avx2"))) static void

AVX2 set_avx2(uint16_t *sums, const uint8_t *row, int width, uint16_t weight)
{
    set(sums, row, width, weight);
}

AVX2 add_avx2(uint16_t *sums, const uint8_t *row, int width, uint16_t weight)
{
    add(sums, row, width, weight);
}

AVX2 add_squares_avx2(uint32_t *sums, uint32_t *squares, const uint8_t *row, int width)
{
    add_squares(sums, squares, row, width);
}

#define CHOOSE(name, ...)                                                                                                        \
    if (__builtin_cpu_supports("avx2")) {                                                                                        \
        name##_avx2(__VA_ARGS__);                                                                                                \
        return;                                                                                                                  \
    }

#else

#define CHOOSE(name, ...)

#endif

void sc_rowsum_set(uint16_t *sums, const uint8_t *row, int width, uint16_t weight)
{
    CHOOSE(set, sums, row, width, weight)
    set(sums, row, width, weight);
}

void sc_rowsum_add(uint16_t *sums, const uint8_t *row, int width, uint16_t weight)
{
    CHOOSE(add, sums, row, width, weight)
    add(sums, row, width, weight);
}

void sc_rowsum_squares(uint32_t *sums, uint32_t *squares, const uint8_t *row, int width)
{
    CHOOSE(add_squares, sums, squares, row, width)
    add_squares(sums, squares, row, width);
}
