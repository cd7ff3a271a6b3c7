#ifndef STILLCAST_ROWS_H
#define STILLCAST_ROWS_H

#include "colour.h"

// Samples are worked on in 1/64, in 16 bits: the compiler, or the processor, then handles eight or sixteen in one
// instruction. Every way of conversion gives the same bytes as the one in portable C, which tells what they are.

// sc_convert_rows is a way of conversion, see sc_colour_convert.
typedef void sc_convert_rows(const sc_colour *colour, const sc_rows *from, const sc_target *to, int width);

sc_convert_rows sc_rows_portable;

#if defined(__x86_64__) && defined(__GNUC__)
#define SC_ROWS_AVX2
sc_convert_rows sc_rows_avx2;
#elif defined(__aarch64__) && defined(__ARM_NEON)
#define SC_ROWS_NEON
sc_convert_rows sc_rows_neon;
#endif

// sc_rows_rest converts what stands right of column x, which is even, in portable C.
void sc_rows_rest(const sc_colour *colour, const sc_rows *from, const sc_target *to, int width, int x);

#endif
