// gemm_f32_6x16_avx2: six rows times 16 columns of float weights.
//
//   acc[m][n] = fma(a[m][k], w[k][n], acc[m][n])        k ascending, one accumulator, from +0
//
// Weights n16k1: one 64-byte row = 16 columns = two operands, read once per k step.
// Registers: 12 accumulators (6 x 2 ymm), 2 weights, 1 broadcast; 1 free. Up to three rows use more
// columns instead, so that there are enough accumulators to hide the latency of the fma.
//
// Measured: 86 - 98 % of the core's AVX2 fma peak from 12 rows up, K >= 128, weights in L2
// (Cascade Lake). The first of several row tiles prefetches the weights that follow (gemm_tile.h):
// 13 % less time at 8 and 16 rows, 7 % at 128 (Zen 3, MobileBERT). A single row tile prefetches
// nothing: with the next column tile in L1, one row took 15 % (min) to 41 % (median) more time; its
// 48 columns are 98 KB at K = 512.
#include <cstddef>

#include "kernels/gemm_f32/gemm_f32.h"
#include "kernels/gemm_tile.h"
#include "kernels/peak.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {
namespace {

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

struct Tile {
  using Gemm = GemmF32;
  static constexpr int kRows = 6;
  static constexpr int kUnit = 16;
  static constexpr int units(int rows) { return rows == 1 ? 3 : rows <= 3 ? 2 : 1; }

  template <int kR, int kB>
  static void run(const GemmF32& g, std::size_t m, std::size_t n) {
    f32x16 acc[kR][kB];
    with_prefetch<Tile, kR>(g, m, [&](auto prefetch) MBRT_INLINE {
      multiply<prefetch == Prefetch::kFar>(g, m, n, acc);
    });
    store_tile(g, m, n, acc);
  }
};

}  // namespace

void gemm_f32(const GemmF32& g) { run_tiles<Tile>(g); }

std::size_t peak_f32(std::size_t iterations) {
  const f32x16 a = broadcast(1.0f / static_cast<float>(iterations));
  const auto step = [a](f32x16 acc) { return fma(acc, a, a); };
  return run_peak<6>(iterations, 16, a, step);
}

}  // namespace mbrt::MBRT_TARGET
