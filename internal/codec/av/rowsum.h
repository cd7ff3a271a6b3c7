#ifndef STILLCAST_ROWSUM_H
#define STILLCAST_ROWSUM_H

#include <stdint.h>

// Sums over rows, for each column. They are the same C for every processor; where there is AVX2, compiled for it.

// sc_rowsum_set makes each of width sums the sample times the weight.
void sc_rowsum_set(uint16_t *sums, const uint8_t *row, int width, uint16_t weight);

// sc_rowsum_add adds each sample times the weight.
void sc_rowsum_add(uint16_t *sums, const uint8_t *row, int width, uint16_t weight);

// sc_rowsum_squares adds each sample, and its square.
void sc_rowsum_squares(uint32_t *sums, uint32_t *squares, const uint8_t *row, int width);

#endif
