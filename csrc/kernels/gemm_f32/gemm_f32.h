// gemm_f32: a panel of float rows times packed float weights.
//
//   acc[m][n] = 0, then for k = 0, 1, ..., K - 1:  acc = fma(a[m][k], w[k][n], acc)
//   x         = acc + bias[n]
//   kLinear:    y = x
//   kRelu:      y = x > 0 ? x : 0
//   kResidual:  y = fma(residual[m][n], residual_scale[n], x)
//   kProduct:   y = acc                      no bias; for the two products of attention
//
// Packing n16k1: w[n / 16][k][n % 16]; consecutive blocks of 16 columns are panel_stride floats
// apart (k * 16 for weights; more for keys and values, whose buffers have a larger capacity).
// N is a multiple of 16; K is any number >= 1. Nothing outside the described arrays is read or
// written.
#ifndef MBRT_KERNELS_GEMM_F32_GEMM_F32_H_
#define MBRT_KERNELS_GEMM_F32_GEMM_F32_H_

#include <cstddef>

#include "kernels/epilogue.h"

namespace mbrt {

struct GemmF32 {
  Epilogue epilogue;
  std::size_t m;  // rows, >= 1
  std::size_t n;  // columns, a multiple of 16
  std::size_t k;  // >= 1

  const float* a;        // [m][a_stride]
  std::size_t a_stride;  // floats

  const float* w;               // packed n16k1, 64-byte aligned
  std::size_t panel_stride;     // floats between blocks of 16 columns
  const float* bias = nullptr;  // [n]; unused by kProduct

  const float* residual = nullptr;        // [m][residual_stride]; kResidual only; may be out itself
  std::size_t residual_stride = 0;        // floats
  const float* residual_scale = nullptr;  // [n]; kResidual only

  float* out;              // [m][out_stride]
  std::size_t out_stride;  // floats
};

}  // namespace mbrt

#endif  // MBRT_KERNELS_GEMM_F32_GEMM_F32_H_
