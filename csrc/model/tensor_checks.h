// Checks of the values of a model file: one read of every byte, at memory speed on any instruction
// set.
//
// These loops are most of the loading time, so they are written for the compiler's vectoriser: fixed
// inner counts, early exits only between blocks, integer operations that SSE2 and NEON have.
#ifndef MBRT_MODEL_TENSOR_CHECKS_H_
#define MBRT_MODEL_TENSOR_CHECKS_H_

#include <cstddef>
#include <cstdint>

namespace mbrt {

// The index of the first value that is infinite or NaN; n when there is none. n is a multiple of 16.
std::size_t first_not_finite(const float* x, std::size_t n);

// The index of the first -128; n when there is none. n is a multiple of 64.
std::size_t first_minus_128(const std::int8_t* x, std::size_t n);

// The sums over k of packed n16k4 weights, in the same pass as the search for -128: sums[n] = sum_k
// w[n][k]. False when there is a -128; the sums are then invalid. n and k are multiples of 16, k <=
// 2^24.
bool column_sums(const std::int8_t* w, std::size_t n, std::size_t k, std::int32_t* sums);

}  // namespace mbrt

#endif  // MBRT_MODEL_TENSOR_CHECKS_H_
