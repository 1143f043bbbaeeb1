// Parts of a gemm_s8 by rows, for kernels that prepare activations in a buffer of limited size.
#ifndef MBRT_KERNELS_GEMM_S8_ROW_PARTS_H_
#define MBRT_KERNELS_GEMM_S8_ROW_PARTS_H_

#include <cstddef>

#include "kernels/gemm_s8/gemm_s8.h"

namespace mbrt::MBRT_TARGET {

// The same product for `rows` rows from `first`.
inline GemmS8 rows_of(const GemmS8& g, std::size_t first, std::size_t rows) {
  GemmS8 part = g;
  part.m = rows;
  part.a += first * g.a_stride;
  part.out += first * g.out_stride;
  if (g.epilogue != Epilogue::kProduct) {
    part.a_scale += first;
    part.a_shift += first;
  }
  if (g.epilogue == Epilogue::kResidual) part.residual += first * g.residual_stride;
  return part;
}

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_KERNELS_GEMM_S8_ROW_PARTS_H_
