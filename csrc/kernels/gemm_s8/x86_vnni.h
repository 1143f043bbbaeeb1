// What the gemm_s8 by vpdpbusd share, on 256-bit and on 512-bit registers:
//
//   acc[m][n] = compensation[n] + sum_k (q[m][k] + 128) * w[k][n]     compensation = -128 * sum_k w
//
// Weights n16k4: one 64-byte row is 16 columns x 4 k, read once per k step and used by all rows.
// Exact for every input: vpdpbusd adds four unsigned x signed products without saturation, and the
// sum modulo 2^32 is the sum.
//
// Dot()(acc, four, w): acc += four . w, in each of the 16 lanes a dot product of four unsigned and
// four signed bytes.
#ifndef MBRT_KERNELS_GEMM_S8_X86_VNNI_H_
#define MBRT_KERNELS_GEMM_S8_X86_VNNI_H_

#include <cstddef>
#include <cstdint>

#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/gemm_tile.h"
#include "kernels/peak.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {

// acc = compensation + the products of rows m .. m + kR - 1 and kB blocks of columns from n.
template <typename Dot, Prefetch kPrefetch, int kR, int kB>
MBRT_INLINE inline void multiply(const GemmS8& g, std::size_t m, std::size_t n,
                                 i32x16 (&acc)[kR][kB]) {
  unroll<kR>([&](auto r) MBRT_INLINE {
    unroll<kB>([&](auto b) MBRT_INLINE { acc[r][b] = load_i32(g.compensation + n + b * 16); });
  });
  const std::uint8_t* a = g.a + m * g.a_stride;
  const std::int8_t* w = g.w + n * g.k;
  const std::size_t panel = g.k * 16;
  const auto* next = reinterpret_cast<const char*>(w) + kB * panel;
  for (std::size_t k = 0; k < g.k; k += 4, a += 4, w += 64, next += kB * 64) {
    i32x16 weights[kB];
    unroll<kB>([&](auto b) MBRT_INLINE {
      weights[b] = load_i32(reinterpret_cast<const std::int32_t*>(w + b * panel));
      fetch<kPrefetch>(next + b * 64, g.ahead);
    });
    unroll<kR>([&](auto r) MBRT_INLINE {
      std::int32_t bytes;
      __builtin_memcpy(&bytes, a + r * g.a_stride, sizeof bytes);
      const i32x16 four = broadcast_i32(bytes);
      unroll<kB>([&](auto b) MBRT_INLINE { Dot()(acc[r][b], four, weights[b]); });
    });
  }
}

template <typename Dot, int kMaxRows, int kMaxBlocks>
struct VnniTile : TileShape<GemmS8, kMaxRows, 16, kMaxBlocks> {
  template <int kR, int kB>
  static void run(const GemmS8& g, std::size_t m, std::size_t n) {
    i32x16 acc[kR][kB];
    with_prefetch<VnniTile, kR>(g, m, [&](auto prefetch) MBRT_INLINE {
      multiply<Dot, decltype(prefetch)::value>(g, m, n, acc);
    });
    store_tile(g, m, n, acc);
  }
};

// On kCount accumulators of 16 lanes.
template <typename Dot, int kCount>
MBRT_INLINE inline std::size_t peak_vnni(std::size_t iterations) {
  const i32x16 a = broadcast_i32(static_cast<int>(iterations));
  const auto step = [a](i32x16 acc) {
    Dot()(acc, a, a);
    return acc;
  };
  return run_peak<kCount>(iterations, 64, a, step);
}

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_KERNELS_GEMM_S8_X86_VNNI_H_
