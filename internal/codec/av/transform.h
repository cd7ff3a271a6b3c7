#ifndef STILLCAST_TRANSFORM_H
#define STILLCAST_TRANSFORM_H

#include <stddef.h>
#include <stdint.h>

// Two blocks of eight by eight coefficients side by side, quantised.
typedef struct sc_pair {
    _Alignas(32) int16_t values[8][16]; // rows of vertical frequencies: eight of the left block, eight of the right one
    uint64_t nonzero[2];                // for each block: bit k is set where the kth value in zigzag order is not 0
} sc_pair;

// What coefficients of two blocks are divided by, in the order of sc_pair: by multiplying twice and keeping the upper
// halves.
typedef struct sc_quantiser {
    _Alignas(32) int16_t half[8][16];
    _Alignas(32) uint16_t factor[8][16], shift[8][16];
} sc_quantiser;

// sc_zigzag is the place of the kth coefficient in a block's rows (ITU-T T.81, figure A.6).
extern const uint8_t sc_zigzag[64];

// sc_quantiser_init sets up the division by a table of 64 steps of 1 to 255, by rows.
void sc_quantiser_init(sc_quantiser *quantiser, const uint16_t *steps);

#if defined(__x86_64__) && defined(__GNUC__)
#define SC_TRANSFORM_AVX2
// sc_transform_avx2 transforms and quantises two blocks of samples, whose rows are stride bytes apart: to the bit the
// coefficients of libjpeg's JDCT_ISLOW.
void sc_transform_avx2(sc_pair *out, const uint8_t *left, const uint8_t *right, ptrdiff_t stride,
                       const sc_quantiser *quantiser);
#endif

#endif
