// gemm_s8: a panel of int8 rows times packed int8 weights, exact int32 sums, and the epilogue in
// registers.
//
//   acc[m][n] = sum_k q[m][k] * w[k][n]                 exact for every input
//   x         = fma(float(acc), a_scale[m] * w_scale[n], fma(a_shift[m], w_sum[n], bias[n]))
//   kLinear:    y = x
//   kRelu:      y = x > 0 ? x : 0
//   kResidual:  y = fma(residual[m][n], residual_scale[n], x)
//   kProduct:   y = float(acc) * w_scale[n]             for the two products of attention; reads
//                                                       no a_scale, a_shift, w_sum or bias
//
// A row means q * a_scale + a_shift (quantize.h); w_sum[n] = w_scale[n] * sum_k w[k][n] accounts for
// the shift. The bytes of a are q + offset; the offset belongs to the kernel (kernels.inc: 128 for
// kernels that multiply unsigned by signed, else 0). With offset 128 the sum starts at
// compensation[n] = -128 * sum_k w[k][n]. q is any signed byte; weights are never -128.
//
// Packing n16k4: w[n / 16][k / 4][n % 16][k % 4], 64-byte rows, 64-byte aligned. N and K are padded
// to multiples of 16 with zeros; padded outputs are 0 because scale, sum, bias and residual are 0
// there. Nothing outside the described arrays is read or written.
#ifndef MBRT_KERNELS_GEMM_S8_GEMM_S8_H_
#define MBRT_KERNELS_GEMM_S8_GEMM_S8_H_

#include <cstddef>
#include <cstdint>

#include "kernels/epilogue.h"

namespace mbrt {

inline constexpr std::size_t kMaxKS8 = 32768;  // max K: the sums fit in int32

// Prefetch distance of weights in bytes. The layers of a model are stored in the order they are
// used, so the weights of the next product follow those of this one.
inline constexpr std::size_t kAhead = 32 * 1024;

struct GemmS8 {
  Epilogue epilogue;
  std::size_t m;  // rows, >= 1
  std::size_t n;  // columns, a positive multiple of 16
  std::size_t k;  // a positive multiple of 16, kMaxKS8 at most

  const std::uint8_t* a;           // [m][a_stride], the first k bytes of each row
  std::size_t a_stride;            // bytes
  const float* a_scale = nullptr;  // [m]; unused by kProduct
  const float* a_shift = nullptr;  // [m]; unused by kProduct

  const std::int8_t* w;              // packed n16k4, 64-byte aligned
  const std::int32_t* compensation;  // [n]; read only by kernels whose offset is 128
  const float* w_scale;              // [n]
  const float* w_sum = nullptr;      // [n]; unused by kProduct
  const float* bias = nullptr;       // [n]; unused by kProduct

  const float* residual = nullptr;        // [m][residual_stride]; kResidual only; may be out itself
  std::size_t residual_stride = 0;        // floats
  const float* residual_scale = nullptr;  // [n]; kResidual only

  float* out;              // [m][out_stride]
  std::size_t out_stride;  // floats

  // Prefetch distance in bytes from the weights of the next column tile. These addresses are only
  // prefetched, never read: they may be past the end of the array.
  std::size_t ahead = kAhead;

  // kProduct only: no q is negative, so a kernel may use a cheaper loop.
  bool non_negative = false;
};

}  // namespace mbrt

#endif  // MBRT_KERNELS_GEMM_S8_GEMM_S8_H_
