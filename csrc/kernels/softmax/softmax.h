// softmax: rows of attention scores to unnormalised weights in place, and their sums; normalisation
// comes after P.V.
//
//   mx      = max over allowed keys of s;   e = exp(s - mx)            kernels/math/exp.h; <=
//   2^-126 flushes to +0 masked keys (mask[key] == 0) and columns keys .. keys_padded - 1 become +0
//   sum     = 16 virtual lanes, ascending, folded 16 -> 8 -> 4 -> 2 -> 1
//
// At least one key of each row must be allowed: the caller checks it.
#ifndef MBRT_KERNELS_SOFTMAX_SOFTMAX_H_
#define MBRT_KERNELS_SOFTMAX_SOFTMAX_H_

#include <cstddef>
#include <cstdint>

namespace mbrt {

struct Softmax {
  std::size_t rows;
  std::size_t keys;          // >= 1; keys rounded up to 16 columns are written
  float* s;                  // [rows][s_stride]
  std::size_t s_stride;      // floats
  const std::uint8_t* mask;  // [rows][mask_stride], 0 = may not be attended; null: every key may
  std::size_t mask_stride;   // bytes; 0 repeats one row
  float* sum;                // [rows]
};

using SoftmaxFn = void (*)(const Softmax&);

// context: y[row][i] = x[row][i] * (1 / sum[row]), i < n, and the running range of the row.
//
//   columns past n are neither read nor written; range[row] is widened by y, see kernels/range.h
struct Context {
  std::size_t rows;
  std::size_t n;
  const float* x;  // [rows][x_stride]
  std::size_t x_stride;
  const float* sum;  // [rows]
  float* y;          // [rows][y_stride]
  std::size_t y_stride;
  float* range;  // [rows][32], updated
};

using ContextFn = void (*)(const Context&);

}  // namespace mbrt

#endif  // MBRT_KERNELS_SOFTMAX_SOFTMAX_H_
