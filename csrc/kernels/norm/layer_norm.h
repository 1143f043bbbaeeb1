// layer_norm: rows in place, over the first n columns; mean and variance over 16 virtual lanes.
//
//   sum_j      = x[j] + x[j + 16] + ...      lane j, ascending, from +0; lanes past n add +0
//   mean       = fold(sum) / n               fold: add lane j + 8 to lane j, then + 4, + 2, + 1
//   d          = x - mean                    +0 past n
//   var        = fold(sum_j fma(d, d, .)) / n
//   y          = fma(d * (1 / sqrt(var + eps)), weight, bias)      IEEE square root and division
//
// Columns n .. n_padded - 1 become +0, since weight and bias are 0 there.
#ifndef MBRT_KERNELS_NORM_LAYER_NORM_H_
#define MBRT_KERNELS_NORM_LAYER_NORM_H_

#include <cstddef>

namespace mbrt {

struct LayerNorm {
  std::size_t rows;
  std::size_t n;         // real columns, >= 1
  float* x;              // [rows][x_stride], n rounded up to 16 columns are read and written
  std::size_t x_stride;  // floats
  const float* weight;   // [n rounded up to 16]
  const float* bias;     // [n rounded up to 16]
  float eps;
};

}  // namespace mbrt

#endif  // MBRT_KERNELS_NORM_LAYER_NORM_H_
