#ifndef STILLCAST_ENTROPY_H
#define STILLCAST_ENTROPY_H

#include <stdint.h>

#include "transform.h"

enum {
    sc_near = 64, // values from -64 to 63 have their bits in a table
};

// The Huffman codes of one kind of component. An entry has the number of bits in its lowest byte and the bits above.
typedef struct sc_codes {
    uint64_t dc[16];                // by the size of the difference; there is room for its bits behind the code
    uint64_t ac[16][16];            // by the zeroes before the value and its size, likewise
    uint32_t near[16][2 * sc_near]; // by the zeroes before the value and the value plus sc_near: the code and the value's bits
    uint8_t places[64];             // of the kth coefficient in zigzag order in the rows of a pair
} sc_codes;

// sc_codes_init sets up the codes of two tables, which are given as in a DHT segment (ITU-T T.81, B.2.4.2): the number of
// codes of each length, beginning at index 1, and their symbols.
void sc_codes_init(sc_codes *codes, const uint8_t *dc_lengths, const uint8_t *dc_symbols, const uint8_t *ac_lengths,
                   const uint8_t *ac_symbols);

// Bits on their way to memory, without the zeroes that follow bytes of 255 in a file.
typedef struct sc_bits {
    uint8_t *at;
    uint64_t pending; // in the lowest bits; those above are stored already
    unsigned count;   // of them, below 8 between calls
} sc_bits;

enum {
    // The most bytes that a block is written to: 64 codes of 16 bits with values of 11, and what is stored beyond the last.
    sc_block_room = 64 * 27 / 8 + 8,
};

#if defined(SC_TRANSFORM_AVX2)
// sc_write_block writes a block of a pair, which needs sc_block_room. last_dc is the first value of the block before of the
// component.
void sc_write_block(sc_bits *bits, const sc_codes *codes, const sc_pair *pair, int block, int *last_dc);

// sc_write_block_runs tells whether this processor has BMI and LZCNT, which it may lack where it has AVX2.
int sc_write_block_runs(void);
#endif

#endif
