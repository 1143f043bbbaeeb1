// gemm_f32_8x48_avx512: eight rows times 48 columns of float weights.
//
//   acc[m][n] = fma(a[m][k], w[k][n], acc[m][n])        k ascending, one accumulator, from +0
//
// Weights n16k1: one 64-byte row = 16 columns = one register, read once per k step.
// Registers: 24 accumulators (8 x 3 zmm), 3 weights, 1 broadcast; 4 free. A step is 24 fma and 11
// loads; 14x32 would need 28 and 16, and read the weights more often.
//
// Measured: 81 - 95 % of the core's AVX-512 fma peak from 8 rows up, K >= 128, weights in L2
// (Cascade Lake).
#include <cstddef>

#include "kernels/gemm_f32/gemm_f32.h"
#include "kernels/gemm_tile.h"
#include "kernels/peak.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {
namespace {

// acc = the products of rows m .. m + kR - 1 and kB blocks of columns from n, k ascending.
template <int kR, int kB>
MBRT_INLINE inline void multiply(const GemmF32& g, std::size_t m, std::size_t n,
                                 f32x16 (&acc)[kR][kB]) {
  unroll<kR>([&](auto r)
                 MBRT_INLINE { unroll<kB>([&](auto b) MBRT_INLINE { acc[r][b] = zero(); }); });
  const float* a = g.a + m * g.a_stride;
  const float* w = g.w + n / 16 * g.panel_stride;
  for (std::size_t k = 0; k < g.k; ++k, ++a, w += 16) {
    f32x16 weights[kB];
    unroll<kB>([&](auto b) MBRT_INLINE { weights[b] = load(w + b * g.panel_stride); });
    unroll<kR>([&](auto r) MBRT_INLINE {
      const f32x16 x = broadcast(a[r * g.a_stride]);
      unroll<kB>([&](auto b) MBRT_INLINE { acc[r][b] = fma(x, weights[b], acc[r][b]); });
    });
  }
}

struct Tile {
  using Gemm = GemmF32;
  static constexpr int kRows = 8;
  static constexpr int kUnit = 16;
  static constexpr int units(int) { return 3; }

  template <int kR, int kB>
  static void run(const GemmF32& g, std::size_t m, std::size_t n) {
    f32x16 acc[kR][kB];
    multiply(g, m, n, acc);
    store_tile(g, m, n, acc);
  }
};

}  // namespace

void gemm_f32(const GemmF32& g) { run_tiles<Tile>(g); }

std::size_t peak_f32(std::size_t iterations) {
  const f32x16 a = broadcast(1.0f / static_cast<float>(iterations));
  const auto step = [a](f32x16 acc) { return fma(acc, a, a); };
  return run_peak<24>(iterations, 16, a, step);
}

}  // namespace mbrt::MBRT_TARGET
