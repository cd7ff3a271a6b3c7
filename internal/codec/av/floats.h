#ifndef STILLCAST_FLOATS_H
#define STILLCAST_FLOATS_H

// Included first by files whose loops work on floats. Without this gcc believes that a comparison may trap, and then cannot
// do several in one instruction; clang does not.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-trapping-math")
#endif

static inline float sc_larger(float a, float b)
{
    return a > b ? a : b;
}

static inline float sc_lesser(float a, float b)
{
    return a < b ? a : b;
}

// sc_clamp holds a value between 0 and most.
static inline float sc_clamp(float value, float most)
{
    return sc_lesser(sc_larger(value, 0), most);
}

#endif
