#include "transform.h"

#if defined(SC_TRANSFORM_AVX2)

#include <immintrin.h>

// Compiled for any x86-64, called where there is AVX2.
#define AVX2 __attribute__((target("avx2"))) static inline

// The transform is that of Loeffler, Ligtenberg and Moschytz (ICASSP 1989), with factors of 13 bits and the roundings of
// libjpeg's jfdctint.c, once along rows and once along columns. A register holds eight values of either block.
enum {
    factor_bits = 13,
    row_bits = 2, // what is kept below the point between rows and columns
};

// The factors are square roots of 2 times cosines of multiples of pi/16, sums of them as they are met, in 1/8192. Each is the
// sum of libjpeg's rounded ones.
enum {
    c0_541 = 4433,
    c0_765 = 6270,
    c1_847 = 15137,
    c0_298 = 2446,
    c0_390 = 3196,
    c0_899 = 7373,
    c1_175 = 9633,
    c1_501 = 12299,
    c1_961 = 16069,
    c2_053 = 16819,
    c2_562 = 20995,
    c3_072 = 25172,
};

AVX2 __m256i load(const uint8_t *left, const uint8_t *right)
{
    __m128i l = _mm_loadl_epi64((const __m128i *)(const void *)left);
    __m128i r = _mm_loadl_epi64((const __m128i *)(const void *)right);
    return _mm256_cvtepu8_epi16(_mm_unpacklo_epi64(l, r));
}

// transpose exchanges rows and columns of both blocks.
AVX2 void transpose(__m256i v[8])
{
    __m256i a[8], b[8];
    for (int i = 0; i < 4; i++) {
        a[2 * i] = _mm256_unpacklo_epi16(v[2 * i], v[2 * i + 1]);
        a[2 * i + 1] = _mm256_unpackhi_epi16(v[2 * i], v[2 * i + 1]);
    }
    for (int i = 0; i < 2; i++) {
        b[4 * i] = _mm256_unpacklo_epi32(a[4 * i], a[4 * i + 2]);
        b[4 * i + 1] = _mm256_unpackhi_epi32(a[4 * i], a[4 * i + 2]);
        b[4 * i + 2] = _mm256_unpacklo_epi32(a[4 * i + 1], a[4 * i + 3]);
        b[4 * i + 3] = _mm256_unpackhi_epi32(a[4 * i + 1], a[4 * i + 3]);
    }
    for (int i = 0; i < 4; i++) {
        v[2 * i] = _mm256_unpacklo_epi64(b[i], b[i + 4]);
        v[2 * i + 1] = _mm256_unpackhi_epi64(b[i], b[i + 4]);
    }
}

// Two values of each place, next to each other, to be multiplied by two factors and added.
typedef struct two {
    __m256i low, high;
} two;

AVX2 two pair(__m256i a, __m256i b)
{
    return (two){_mm256_unpacklo_epi16(a, b), _mm256_unpackhi_epi16(a, b)};
}

AVX2 two rotate(two values, int16_t first, int16_t second)
{
    __m256i factors = _mm256_set1_epi32((int32_t)((uint32_t)(uint16_t)second << 16 | (uint16_t)first));
    return (two){_mm256_madd_epi16(values.low, factors), _mm256_madd_epi16(values.high, factors)};
}

AVX2 two add(two a, two b)
{
    return (two){_mm256_add_epi32(a.low, b.low), _mm256_add_epi32(a.high, b.high)};
}

// descale rounds and drops the lowest bits.
AVX2 __m256i descale(two v, int bits)
{
    const __m256i half = _mm256_set1_epi32(1 << (bits - 1));
    return _mm256_packs_epi32(_mm256_srai_epi32(_mm256_add_epi32(v.low, half), bits),
                              _mm256_srai_epi32(_mm256_add_epi32(v.high, half), bits));
}

// odd makes the odd frequencies of the four differences.
AVX2 void odd(__m256i v[8], __m256i t4, __m256i t5, __m256i t6, __m256i t7, int bits)
{
    two t45 = pair(t4, t5), t67 = pair(t6, t7);
    v[7] = descale(add(rotate(t45, c0_298 - c0_899 - c1_961 + c1_175, c1_175), rotate(t67, c1_175 - c1_961, c1_175 - c0_899)),
                   bits);
    v[5] = descale(add(rotate(t45, c1_175, c2_053 - c2_562 - c0_390 + c1_175), rotate(t67, c1_175 - c2_562, c1_175 - c0_390)),
                   bits);
    v[3] = descale(add(rotate(t45, c1_175 - c1_961, c1_175 - c2_562), rotate(t67, c3_072 - c2_562 - c1_961 + c1_175, c1_175)),
                   bits);
    v[1] = descale(add(rotate(t45, c1_175 - c0_899, c1_175 - c0_390), rotate(t67, c1_175, c1_501 - c0_899 - c0_390 + c1_175)),
                   bits);
}

// pass transforms eight values of each place. The sums, the even frequencies 0 and 4, are left to the caller.
AVX2 void pass(__m256i v[8], __m256i *sum0, __m256i *sum4, int bits)
{
    __m256i t0 = _mm256_add_epi16(v[0], v[7]), t7 = _mm256_sub_epi16(v[0], v[7]);
    __m256i t1 = _mm256_add_epi16(v[1], v[6]), t6 = _mm256_sub_epi16(v[1], v[6]);
    __m256i t2 = _mm256_add_epi16(v[2], v[5]), t5 = _mm256_sub_epi16(v[2], v[5]);
    __m256i t3 = _mm256_add_epi16(v[3], v[4]), t4 = _mm256_sub_epi16(v[3], v[4]);
    __m256i t10 = _mm256_add_epi16(t0, t3), t13 = _mm256_sub_epi16(t0, t3);
    __m256i t11 = _mm256_add_epi16(t1, t2), t12 = _mm256_sub_epi16(t1, t2);
    *sum0 = _mm256_add_epi16(t10, t11);
    *sum4 = _mm256_sub_epi16(t10, t11);
    two t1213 = pair(t12, t13);
    v[2] = descale(rotate(t1213, c0_541, c0_541 + c0_765), bits);
    v[6] = descale(rotate(t1213, c0_541 - c1_847, c0_541), bits);
    odd(v, t4, t5, t6, t7, bits);
}

AVX2 void transform(__m256i v[8])
{
    __m256i sum0, sum4;
    transpose(v);
    pass(v, &sum0, &sum4, factor_bits - row_bits);
    // Samples are centred here: all but their sum are differences.
    v[0] = _mm256_slli_epi16(_mm256_sub_epi16(sum0, _mm256_set1_epi16(8 * 128)), row_bits);
    v[4] = _mm256_slli_epi16(sum4, row_bits);
    transpose(v);
    pass(v, &sum0, &sum4, factor_bits + row_bits);
    const __m256i half = _mm256_set1_epi16(1 << (row_bits - 1));
    v[0] = _mm256_srai_epi16(_mm256_add_epi16(sum0, half), row_bits);
    v[4] = _mm256_srai_epi16(_mm256_add_epi16(sum4, half), row_bits);
}

AVX2 __m256i quantise(__m256i v, const sc_quantiser *q, int row)
{
    __m256i n = _mm256_add_epi16(_mm256_abs_epi16(v), _mm256_load_si256((const __m256i *)q->half[row]));
    n = _mm256_mulhi_epu16(n, _mm256_load_si256((const __m256i *)q->factor[row]));
    n = _mm256_mulhi_epu16(n, _mm256_load_si256((const __m256i *)q->shift[row]));
    return _mm256_sign_epi16(n, v);
}

// Where the sixteen bytes of a quarter of the zigzag order come from: of rows 0 and 1, 2 and 3, 4 and 5, 6 and 7.
#define X 0x80
static const uint8_t zigzag[4][4][16] = {
    {
        {0, 1, 8, X, 9, 2, 3, 10, X, X, X, X, X, 11, 4, 5},
        {X, X, X, 0, X, X, X, X, 1, 8, X, 9, 2, X, X, X},
        {X, X, X, X, X, X, X, X, X, X, 0, X, X, X, X, X},
        {X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X},
    },
    {
        {12, X, X, X, X, X, X, X, X, X, 13, 6, 7, 14, X, X},
        {X, 3, 10, X, X, X, X, X, 11, 4, X, X, X, X, 5, 12},
        {X, X, X, 1, 8, X, 9, 2, X, X, X, X, X, X, X, X},
        {X, X, X, X, X, 0, X, X, X, X, X, X, X, X, X, X},
    },
    {
        {X, X, X, X, X, X, X, X, X, X, 15, X, X, X, X, X},
        {X, X, X, X, X, X, X, X, 13, 6, X, 7, 14, X, X, X},
        {3, 10, X, X, X, X, 11, 4, X, X, X, X, X, 5, 12, X},
        {X, X, 1, 8, 9, 2, X, X, X, X, X, X, X, X, X, 3},
    },
    {
        {X, X, X, X, X, X, X, X, X, X, X, X, X, X, X, X},
        {X, X, X, X, X, 15, X, X, X, X, X, X, X, X, X, X},
        {X, X, X, 13, 6, X, 7, 14, X, X, X, X, 15, X, X, X},
        {10, 11, 4, X, X, X, X, X, 5, 12, 13, 6, X, 7, 14, 15},
    },
};

// quarter returns sixteen bits of the zigzag order for each block, set where a value is 0.
AVX2 uint32_t quarter(const __m256i rows[4], int which)
{
    __m256i found = _mm256_setzero_si256();
    for (int i = 0; i < 4; i++) {
        if (which == (i == 0 ? 3 : i == 3 ? 0 : -1)) {
            continue; // the first and the last quarter have nothing of each other's rows
        }
        __m256i order = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)zigzag[which][i]));
        found = _mm256_or_si256(found, _mm256_shuffle_epi8(rows[i], order));
    }
    return (uint32_t)_mm256_movemask_epi8(found);
}

// find tells which values are not 0.
AVX2 void find(sc_pair *out, const __m256i v[8])
{
    const __m256i zero = _mm256_setzero_si256();
    __m256i rows[4];
    for (int i = 0; i < 4; i++) {
        rows[i] = _mm256_cmpeq_epi8(_mm256_packs_epi16(v[2 * i], v[2 * i + 1]), zero);
    }
    uint64_t left = 0, right = 0;
    for (int i = 0; i < 4; i++) {
        uint64_t zeroes = quarter(rows, i);
        left |= (zeroes & 0xffff) << (16 * i);
        right |= (zeroes >> 16) << (16 * i);
    }
    out->nonzero[0] = ~left;
    out->nonzero[1] = ~right;
}

__attribute__((target("avx2"))) void sc_transform_avx2(sc_pair *out, const uint8_t *left, const uint8_t *right,
                                                       ptrdiff_t stride, const sc_quantiser *quantiser)
{
    __m256i v[8];
    for (int i = 0; i < 8; i++) {
        v[i] = load(left + i * stride, right + i * stride);
    }
    transform(v);
    for (int i = 0; i < 8; i++) {
        v[i] = quantise(v[i], quantiser, i);
        _mm256_store_si256((__m256i *)out->values[i], v[i]);
    }
    find(out, v);
}

#endif
