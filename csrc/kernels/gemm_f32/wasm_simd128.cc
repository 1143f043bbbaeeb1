// gemm_f32_3x16: three rows times 16 columns of float weights; with relaxed SIMD gemm_f32_3x16_wasm_relaxed.
//
//   acc[m][n] = fma(a[m][k], w[k][n], acc[m][n])        k ascending, one accumulator, from +0
//
// Weights n16k1: one 64-byte row = 16 columns = four vectors, read once per k step.
// Registers of x86, 16: 12 accumulators (3 rows x 4), a broadcast, weights as memory operands.
//
// Without relaxed_madd, the fma in double of simd/wasm_simd128.h is there for the same bits, not for speed.
#include <cstddef>

#include "kernels/gemm_f32/gemm_f32.h"
#include "kernels/gemm_tile.h"
#include "kernels/peak.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {
namespace {

struct Tile : TileShape<GemmF32, 3, 16> {
  template <int kR, int>
  static void run(const GemmF32& g, std::size_t m, std::size_t n) {
    f32x16 acc[kR][1];
    unroll<kR>([&](auto r) MBRT_INLINE { acc[r][0] = zero(); });
    const float* a = g.a + m * g.a_stride;
    const float* w = g.w + n / 16 * g.panel_stride;
    for (std::size_t k = 0; k < g.k; ++k, ++a, w += 16) {
      const f32x16 weights = load(w);
      unroll<kR>([&](auto r) MBRT_INLINE {
        acc[r][0] = fma(broadcast(a[r * g.a_stride]), weights, acc[r][0]);
      });
    }
    store_tile(g, m, n, acc);
  }
};

}  // namespace

void gemm_f32(const GemmF32& g) { run_tiles<Tile>(g); }

std::size_t peak_f32(std::size_t iterations) {
  const f32x16 a = broadcast(1.0f / static_cast<float>(iterations));
  const auto step = [a](f32x16 acc) { return fma(acc, a, a); };
  return run_peak<3>(iterations, 16, a, step);
}

}  // namespace mbrt::MBRT_TARGET
