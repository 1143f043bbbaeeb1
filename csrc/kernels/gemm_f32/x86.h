// What the gemm_f32 of AVX2 and of AVX-512 share: the k loop, and the peak of fma. Weights n16k1: one
// 64-byte row = 16 columns, read once per k step.
#ifndef MBRT_KERNELS_GEMM_F32_X86_H_
#define MBRT_KERNELS_GEMM_F32_X86_H_

#include <cstddef>

#include "kernels/gemm_f32/gemm_f32.h"
#include "kernels/gemm_tile.h"
#include "kernels/peak.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {

// acc = the products of rows m .. m + kR - 1 and kB blocks of columns from n, k ascending.
template <bool kFetch, int kR, int kB>
MBRT_INLINE inline void multiply(const GemmF32& g, std::size_t m, std::size_t n,
                                 f32x16 (&acc)[kR][kB]) {
  unroll<kR>([&](auto r)
                 MBRT_INLINE { unroll<kB>([&](auto b) MBRT_INLINE { acc[r][b] = zero(); }); });
  const float* a = g.a + m * g.a_stride;
  const float* w = g.w + n / 16 * g.panel_stride;
  const float* next = w + kB * g.panel_stride;
  for (std::size_t k = 0; k < g.k; ++k, ++a, w += 16, next += kB * 16) {
    f32x16 weights[kB];
    unroll<kB>([&](auto b) MBRT_INLINE {
      weights[b] = load(w + b * g.panel_stride);
      if constexpr (kFetch)
        fetch<Prefetch::kFar>(reinterpret_cast<const char*>(next + b * 16), kAhead);
    });
    unroll<kR>([&](auto r) MBRT_INLINE {
      const f32x16 x = broadcast(a[r * g.a_stride]);
      unroll<kB>([&](auto b) MBRT_INLINE { acc[r][b] = fma(x, weights[b], acc[r][b]); });
    });
  }
}

// On kCount accumulators of 16 lanes.
template <int kCount>
MBRT_INLINE inline std::size_t peak_fma(std::size_t iterations) {
  const f32x16 a = broadcast(1.0f / static_cast<float>(iterations));
  return run_peak<kCount>(iterations, 16, a, [a](f32x16 acc) { return fma(acc, a, a); });
}

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_KERNELS_GEMM_F32_X86_H_
