#include "rows.h"

#if defined(SC_ROWS_AVX2)

#include <immintrin.h>

// Compiled for any x86-64, called where there is AVX2.
#define AVX2 __attribute__((target("avx2")))

// Sixteen samples of Cb and Cr, and the factors.
typedef struct wide_colour {
    __m256i luma_offset, yy, ycb, ycr, cbcb, cbcr, crcb, crcr;
} wide_colour;

AVX2 static inline __m256i widen(const uint8_t *bytes)
{
    return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)(const void *)bytes));
}

AVX2 static inline __m256i add3(__m256i a, __m256i b, __m256i c)
{
    return _mm256_add_epi16(_mm256_add_epi16(a, b), c);
}

// to_bytes rounds twice sixteen samples of 1/64 to bytes.
AVX2 static inline __m256i to_bytes(__m256i low, __m256i high)
{
    const __m256i half = _mm256_set1_epi16(32);
    low = _mm256_srai_epi16(_mm256_add_epi16(low, half), 6);
    high = _mm256_srai_epi16(_mm256_add_epi16(high, half), 6);
    return _mm256_permute4x64_epi64(_mm256_packus_epi16(low, high), 0xd8);
}

AVX2 static inline void store_chroma(uint8_t *to, __m256i samples)
{
    __m256i centred = _mm256_add_epi16(samples, _mm256_set1_epi16(128 * 64));
    _mm_storeu_si128((__m128i *)(void *)to, _mm256_castsi256_si128(to_bytes(centred, centred)));
}

AVX2 static inline __m256i luma_of(const wide_colour *c, const uint8_t *from, __m256i chroma)
{
    __m256i luma = _mm256_slli_epi16(_mm256_sub_epi16(widen(from), c->luma_offset), 6);
    return add3(luma, _mm256_mulhrs_epi16(luma, c->yy), chroma);
}

AVX2 static inline void convert_luma(const wide_colour *c, const uint8_t *from, uint8_t *to, __m256i low, __m256i high)
{
    __m256i bytes = to_bytes(luma_of(c, from, low), luma_of(c, from + 16, high));
    _mm256_storeu_si256((__m256i *)(void *)to, bytes);
}

AVX2 static wide_colour widen_colour(const sc_colour *c)
{
    return (wide_colour){
        .luma_offset = _mm256_set1_epi16(c->luma_offset),
        .yy = _mm256_set1_epi16(c->yy),
        .ycb = _mm256_set1_epi16(c->ycb),
        .ycr = _mm256_set1_epi16(c->ycr),
        .cbcb = _mm256_set1_epi16(c->cbcb),
        .cbcr = _mm256_set1_epi16(c->cbcr),
        .crcb = _mm256_set1_epi16(c->crcb),
        .crcr = _mm256_set1_epi16(c->crcr),
    };
}

AVX2 void sc_rows_avx2(const sc_colour *colour, const sc_rows *from, const sc_target *to, int width)
{
    const wide_colour c = widen_colour(colour);
    const __m256i centre = _mm256_set1_epi16(128);
    int x = 0;
    for (; x + 32 <= width; x += 32) {
        __m256i cb = _mm256_slli_epi16(_mm256_sub_epi16(widen(from->cb + x / 2), centre), 6);
        __m256i cr = _mm256_slli_epi16(_mm256_sub_epi16(widen(from->cr + x / 2), centre), 6);
        store_chroma(to->cb + x / 2, add3(cb, _mm256_mulhrs_epi16(cb, c.cbcb), _mm256_mulhrs_epi16(cr, c.cbcr)));
        store_chroma(to->cr + x / 2, add3(cr, _mm256_mulhrs_epi16(cb, c.crcb), _mm256_mulhrs_epi16(cr, c.crcr)));
        __m256i chroma = _mm256_add_epi16(_mm256_mulhrs_epi16(cb, c.ycb), _mm256_mulhrs_epi16(cr, c.ycr));
        // Each sample of chroma stands for two pixels.
        chroma = _mm256_permute4x64_epi64(chroma, 0xd8);
        __m256i low = _mm256_unpacklo_epi16(chroma, chroma), high = _mm256_unpackhi_epi16(chroma, chroma);
        convert_luma(&c, from->luma[0] + x, to->luma[0] + x, low, high);
        convert_luma(&c, from->luma[1] + x, to->luma[1] + x, low, high);
    }
    sc_rows_rest(colour, from, to, width, x);
}

#endif
