// gemm_f32_8x8_neon: eight rows times eight columns of float weights. On 32-bit ARM, which has 16
// registers and no fma by lane, it is gemm_f32_4x8_neon.
//
//   acc[m][n] = fma(a[m][k], w[k][n], acc[m][n])        k ascending, one accumulator, from +0
//
// Weights n16k1: a quarter of a 64-byte row is one operand. Rows are read in place, four k at a
// time, one lane per k; the last one to three k are read one at a time, and nothing after them.
// Registers: 16 accumulators (8 rows x 2 quads), 8 activations, 2 to 4 weights; 4 free.
//
// Modelled (llvm-mca 19, no hardware), share of the peak of fma, GCC 12 and clang 19: Neoverse N1
// (two fma per cycle) 100 % from four rows up; Cortex-A57 and A72 (one) 100 %; Cortex-A55 (one) 97
// and 86 %; Cortex-A53 56 and 47 %. The whole kernel for 32 rows on N1: 92 % at K = 128.
// One to three rows are limited by the latency of fma, but more by loading their weights: a wider
// tile would not help. Tried and dropped: 4x16 (20 loads for 64 fma instead of 16; GCC 12 adds six
// moves: 91 %).
#include <cstddef>

#include "kernels/arm_quads.h"
#include "kernels/gemm_f32/gemm_f32.h"
#include "kernels/gemm_tile.h"
#include "kernels/peak.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {
namespace {

#ifdef __aarch64__

constexpr int kMaxRows = 8;

template <int kLane>
MBRT_INLINE inline float32x4_t fma_lane(float32x4_t sum, float32x4_t w, float32x4_t a) {
  return vfmaq_laneq_f32(sum, w, a, kLane);
}

#else

// Of 16 registers: 8 accumulators, 2 weights, 4 activations, 1 broadcast (there is no fma by lane).
constexpr int kMaxRows = 4;

template <int kLane>
MBRT_INLINE inline float32x4_t fma_lane(float32x4_t sum, float32x4_t w, float32x4_t a) {
  return vfmaq_f32(sum, w,
                   vdupq_lane_f32(kLane < 2 ? vget_low_f32(a) : vget_high_f32(a), kLane % 2));
}

#endif  // __aarch64__

template <Epilogue kEpilogue>
struct Tile : TileShape<GemmF32, kMaxRows, kTileColumns> {
  template <int kR, int>
  static void run(const GemmF32& g, std::size_t m, std::size_t n) {
    float32x4_t acc[kR][kTileQuads];
    unroll<kR>([&](auto r) MBRT_INLINE {
      unroll<kTileQuads>([&](auto q) MBRT_INLINE { acc[r][q] = vdupq_n_f32(0.0f); });
    });
    const float* a[kR];
    unroll<kR>([&](auto r) MBRT_INLINE { a[r] = g.a + (m + r) * g.a_stride; });
    const float* w = g.w + n / 16 * g.panel_stride + n % 16;
    const std::size_t quads = g.k / 4 * 4;
    for (std::size_t k = 0; k < quads; k += 4, w += 64) {
      float32x4_t x[kR];
      unroll<kR>([&](auto r) MBRT_INLINE { x[r] = vld1q_f32(a[r] + k); });
      unroll<4>([&](auto j) MBRT_INLINE {
        const float32x4_t w0 = vld1q_f32(w + j * 16);
        const float32x4_t w1 = vld1q_f32(w + j * 16 + 4);
        unroll<kR>([&](auto r) MBRT_INLINE {
          acc[r][0] = fma_lane<j>(acc[r][0], w0, x[r]);
          acc[r][1] = fma_lane<j>(acc[r][1], w1, x[r]);
        });
        pin(acc);
      });
    }
    for (std::size_t k = quads; k < g.k; ++k, w += 16) {
      const float32x4_t w0 = vld1q_f32(w);
      const float32x4_t w1 = vld1q_f32(w + 4);
      unroll<kR>([&](auto r) MBRT_INLINE {
        const float32x4_t x = vld1q_dup_f32(a[r] + k);
        acc[r][0] = vfmaq_f32(acc[r][0], w0, x);
        acc[r][1] = vfmaq_f32(acc[r][1], w1, x);
      });
    }
    store_tile8<kEpilogue>(g, m, n, acc);
  }
};

}  // namespace

void gemm_f32(const GemmF32& g) {
  with_constant(g.epilogue, [&](auto epilogue) MBRT_INLINE { run_tiles<Tile<epilogue.value>>(g); });
}

std::size_t peak_f32(std::size_t iterations) {
  const float32x4_t a = vdupq_n_f32(1.0f / static_cast<float>(iterations));
  const auto step = [a](float32x4_t acc) { return fma_lane<0>(acc, acc, a); };
  return run_peak<12>(iterations, 4, a, step);
}

}  // namespace mbrt::MBRT_TARGET
