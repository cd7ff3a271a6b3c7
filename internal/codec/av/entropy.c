#include "entropy.h"

#include <stddef.h>
#include <string.h>

// set_codes sets the codes of a table (ITU-T T.81, annex C), by symbol.
static void set_codes(uint64_t *codes, const uint8_t *lengths, const uint8_t *symbols)
{
    uint64_t code = 0;
    for (unsigned length = 1; length <= 16; length++) {
        for (int i = 0; i < lengths[length]; i++) {
            unsigned symbol = *symbols++, size = symbol & 15;
            codes[symbol] = code << size << 8 | (length + size);
            code++;
        }
        code <<= 1;
    }
}

// size_of is the number of bits of a value without its sign (ITU-T T.81, F.1.2.1).
static inline unsigned size_of(int value)
{
    int sign = value >> 31;
    unsigned magnitude = (unsigned)((value ^ sign) - sign);
    return 31 - (unsigned)__builtin_clz(2 * magnitude + 1); // without a branch: a clz of 0 has no meaning
}

// low_bits are the bits of a value that follow the code (ITU-T T.81, F.1.2.1).
static inline uint32_t low_bits(int value, unsigned size)
{
    return (uint32_t)(value + (value >> 31)) & ((1U << size) - 1);
}

void sc_codes_init(sc_codes *codes, const uint8_t *dc_lengths, const uint8_t *dc_symbols, const uint8_t *ac_lengths,
                   const uint8_t *ac_symbols)
{
    memset(codes, 0, sizeof *codes);
    set_codes(codes->dc, dc_lengths, dc_symbols);
    set_codes(codes->ac[0], ac_lengths, ac_symbols);
    for (int i = 0; i < 64; i++) {
        codes->places[i] = (uint8_t)(sc_zigzag[i] / 8 * 16 + sc_zigzag[i] % 8);
    }
    for (int zeroes = 0; zeroes < 16; zeroes++) {
        for (int value = -sc_near; value < sc_near; value++) {
            unsigned size = size_of(value);
            codes->near[zeroes][value + sc_near] = (uint32_t)codes->ac[zeroes][size] | low_bits(value, size) << 8;
        }
    }
}

#if defined(SC_TRANSFORM_AVX2)

#include <cpuid.h>
#include <immintrin.h>

#define BITS __attribute__((target("bmi,bmi2,lzcnt")))

int sc_write_block_runs(void)
{
    unsigned a, b, c, d; // older compilers do not know the name of LZCNT
    return __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && __get_cpuid(0x80000001, &a, &b, &c, &d) &&
           (c >> 5 & 1);
}

// put appends an entry of a table.
BITS static inline void put(sc_bits *b, uint64_t entry)
{
    unsigned size = entry & 0xff;
    b->pending = b->pending << size | entry >> 8;
    b->count += size;
}

// flush stores what is pending and keeps what is no whole byte.
BITS static inline void flush(sc_bits *b)
{
    uint64_t bytes = __builtin_bswap64(b->pending << (64 - b->count));
    memcpy(b->at, &bytes, sizeof bytes);
    b->at += b->count / 8;
    b->count &= 7;
}

// put_value appends the code of a value and its bits.
BITS static inline void put_value(sc_bits *b, const uint64_t *by_size, int value)
{
    unsigned size = size_of(value);
    put(b, by_size[size] | (uint64_t)low_bits(value, size) << 8);
}

BITS void sc_write_block(sc_bits *bits, const sc_codes *codes, const sc_pair *pair, int block, int *last_dc)
{
    sc_bits b = *bits;
    const int16_t *values = pair->values[0] + 8 * (ptrdiff_t)block;
    put_value(&b, codes->dc, values[0] - *last_dc);
    *last_dc = values[0];
    int before = 0;
    for (uint64_t left = pair->nonzero[block] & ~1ULL; left; left = _blsr_u64(left)) {
        int at = (int)_tzcnt_u64(left), zeroes = at - before - 1;
        before = at;
        int value = values[codes->places[at]];
        flush(&b);
        for (; zeroes > 15; zeroes -= 16) {
            put(&b, codes->ac[15][0]);
            flush(&b);
        }
        unsigned index = (unsigned)(value + sc_near);
        if (index < 2 * sc_near) {
            put(&b, codes->near[zeroes][index]);
        } else {
            put_value(&b, codes->ac[zeroes], value);
        }
    }
    if (before < 63) {
        put(&b, codes->ac[0][0]);
    }
    flush(&b);
    *bits = b;
}

#endif
