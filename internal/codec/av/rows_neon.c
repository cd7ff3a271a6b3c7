#include "rows.h"

#if defined(SC_ROWS_NEON)

#include <arm_neon.h>

static inline int16x8_t centred(const uint8_t *bytes)
{
    return vreinterpretq_s16_u16(vshlq_n_u16(vsubl_u8(vld1_u8(bytes), vdup_n_u8(128)), 6));
}

static inline int16x8_t add3(int16x8_t a, int16x8_t b, int16x8_t c)
{
    return vaddq_s16(vaddq_s16(a, b), c);
}

// to_bytes rounds samples of 1/64 to bytes.
static inline uint8x8_t to_bytes(int16x8_t samples)
{
    return vqrshrun_n_s16(samples, 6);
}

static inline void store_chroma(uint8_t *to, int16x8_t samples)
{
    vst1_u8(to, to_bytes(vaddq_s16(samples, vdupq_n_s16(128 * 64))));
}

static inline uint8x8_t luma_of(const sc_colour *c, uint8x8_t from, int16x8_t chroma)
{
    uint16x8_t less = vsubl_u8(from, vdup_n_u8((uint8_t)c->luma_offset));
    int16x8_t luma = vreinterpretq_s16_u16(vshlq_n_u16(less, 6));
    return to_bytes(add3(luma, vqrdmulhq_n_s16(luma, c->yy), chroma));
}

static inline void convert_luma(const sc_colour *c, const uint8_t *from, uint8_t *to, int16x8_t low, int16x8_t high)
{
    uint8x16_t bytes = vld1q_u8(from);
    vst1q_u8(to, vcombine_u8(luma_of(c, vget_low_u8(bytes), low), luma_of(c, vget_high_u8(bytes), high)));
}

void sc_rows_neon(const sc_colour *colour, const sc_rows *from, const sc_target *to, int width)
{
    const sc_colour c = *colour;
    int x = 0;
    for (; x + 16 <= width; x += 16) {
        int16x8_t cb = centred(from->cb + x / 2), cr = centred(from->cr + x / 2);
        store_chroma(to->cb + x / 2, add3(cb, vqrdmulhq_n_s16(cb, c.cbcb), vqrdmulhq_n_s16(cr, c.cbcr)));
        store_chroma(to->cr + x / 2, add3(cr, vqrdmulhq_n_s16(cb, c.crcb), vqrdmulhq_n_s16(cr, c.crcr)));
        int16x8_t chroma = vaddq_s16(vqrdmulhq_n_s16(cb, c.ycb), vqrdmulhq_n_s16(cr, c.ycr));
        // Each sample of chroma stands for two pixels.
        int16x8_t low = vzip1q_s16(chroma, chroma), high = vzip2q_s16(chroma, chroma);
        convert_luma(&c, from->luma[0] + x, to->luma[0] + x, low, high);
        convert_luma(&c, from->luma[1] + x, to->luma[1] + x, low, high);
    }
    sc_rows_rest(colour, from, to, width, x);
}

#endif
