#include "transform.h"

const uint8_t sc_zigzag[64] = {
    0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  //
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6,  7,  14, 21, 28, //
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, //
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
};

void sc_quantiser_init(sc_quantiser *quantiser, const uint16_t *steps)
{
    for (int i = 0; i < 64; i++) {
        // The transform's values are eight times those of the standard.
        uint32_t divisor = (uint32_t)steps[i] * 8;
        // With b the bits of divisor - 1, ceil(2^(15+b) / divisor) has at most 16 bits, and what it is too large by is
        // less than 1/2^(15+b) of 2^b: nothing that shows in a quotient of a number below 2^15.
        int bits = 32 - __builtin_clz(divisor - 1);
        uint32_t factor = ((1U << (15 + bits)) + divisor - 1) / divisor;
        for (int block = 0; block < 2; block++) {
            int row = i / 8, column = i % 8 + 8 * block;
            quantiser->half[row][column] = (int16_t)(divisor / 2);
            quantiser->factor[row][column] = (uint16_t)factor;
            quantiser->shift[row][column] = (uint16_t)(1U << (17 - bits));
        }
    }
}
