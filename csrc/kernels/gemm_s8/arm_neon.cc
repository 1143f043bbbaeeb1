// gemm_s8_3x8_neon: three rows times eight columns of int8 weights, exact int32 sums, for armv8.0.
// On 32-bit ARM, which has 16 registers, it is gemm_s8_2x8_neon.
//
//   acc[m][n] = sum_k q[m][k] * w[k][n]        smull, smlal: two products of bytes in 16 bits;
//                                              sadalp: adds neighbours to 32 bits
//
// A register of weights (n16k4) is four columns x four k. Its low half (two columns) and the low
// half of the next weights are each multiplied by four k of a row; the high halves likewise: 32
// products in six instructions. An accumulator holds two partial sums for each of two columns,
// added at the end.
// Exact: weights are never -128, so two products are at most 2 * 128 * 127 = 32,512 < 2^15.
// Registers: 12 accumulators (3 rows x 4), 6 activations (one lane everywhere), 2 weights, 4 to 8
// products.
//
// Modelled (llvm-mca 19, no hardware): on Neoverse N1 and Cortex-A57 (A72) the loop reaches the
// bound of the single multiplying pipe, 8 products per cycle, with GCC 12 and clang 19; Cortex-A53
// reaches 3.1 and 3.4. The whole kernel for 32 rows on N1: 92 % of the bound at K = 512.
// Tried and dropped: smlal by lane of 16-bit operands (ld4 separates the four k): twice as many
// multiplications, 4 products a cycle on N1, 2.9 on A53; 4x8, 2x16 and 8x4 (GCC 12 or clang 19
// spills: 71 to 92 %).
#include <cstddef>
#include <cstdint>

#include "kernels/arm_quads.h"
#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/gemm_tile.h"
#include "kernels/peak.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {
namespace {

#ifdef __aarch64__

constexpr int kMaxRows = 3;

inline int16x8_t mul_high(int8x16_t a, int8x16_t b) { return vmull_high_s8(a, b); }
inline int16x8_t mul_add_high(int16x8_t sum, int8x16_t a, int8x16_t b) {
  return vmlal_high_s8(sum, a, b);
}
inline int32x4_t add_pairs(int32x4_t a, int32x4_t b) { return vpaddq_s32(a, b); }

#else

constexpr int kMaxRows =
    2;  // of 16 registers: 8 accumulators, 2 weights, 4 activations, 2 products

inline int16x8_t mul_high(int8x16_t a, int8x16_t b) {
  return vmull_s8(vget_high_s8(a), vget_high_s8(b));
}
inline int16x8_t mul_add_high(int16x8_t sum, int8x16_t a, int8x16_t b) {
  return vmlal_s8(sum, vget_high_s8(a), vget_high_s8(b));
}
inline int32x4_t add_pairs(int32x4_t a, int32x4_t b) {
  return vcombine_s32(vpadd_s32(vget_low_s32(a), vget_high_s32(a)),
                      vpadd_s32(vget_low_s32(b), vget_high_s32(b)));
}

#endif  // __aarch64__

inline int16x8_t mul_low(int8x16_t a, int8x16_t b) {
  return vmull_s8(vget_low_s8(a), vget_low_s8(b));
}
inline int16x8_t mul_add_low(int16x8_t sum, int8x16_t a, int8x16_t b) {
  return vmlal_s8(sum, vget_low_s8(a), vget_low_s8(b));
}

template <Epilogue kEpilogue>
struct Tile : TileShape<GemmS8, kMaxRows, kTileColumns> {
  template <int kR, int>
  static void run(const GemmS8& g, std::size_t m, std::size_t n) {
    int32x4_t acc[kR][2 * kTileQuads];  // two columns each
    unroll<kR>([&](auto r) MBRT_INLINE {
      unroll<2 * kTileQuads>([&](auto p) MBRT_INLINE { acc[r][p] = vdupq_n_s32(0); });
    });
    const std::int8_t* a = rows_from(g, m);
    const std::int8_t* w = columns_from(g, n);
    for (std::size_t k = 0; k < g.k; k += 8) {
      int8x16_t first[kR];  // four k of a row, repeated four times; second: the next four
      int8x16_t second[kR];
      unroll<kR>([&](auto r) MBRT_INLINE {
        const int32x2_t eight = vreinterpret_s32_s8(vld1_s8(a + r * g.a_stride + k));
        first[r] = vreinterpretq_s8_s32(vdupq_lane_s32(eight, 0));
        second[r] = vreinterpretq_s8_s32(vdupq_lane_s32(eight, 1));
      });
      unroll<kTileQuads>([&](auto q) MBRT_INLINE {
        const int8x16_t w0 = vld1q_s8(w + q * 16);
        const int8x16_t w1 = vld1q_s8(w + q * 16 + 64);
        unroll<kR>([&](auto r) MBRT_INLINE {
          int16x8_t low = mul_low(w0, first[r]);
          int16x8_t high = mul_high(w0, first[r]);
          low = mul_add_low(low, w1, second[r]);
          high = mul_add_high(high, w1, second[r]);
          acc[r][2 * q] = vpadalq_s16(acc[r][2 * q], low);
          acc[r][2 * q + 1] = vpadalq_s16(acc[r][2 * q + 1], high);
        });
      });
      w += 128;
    }
    int32x4_t sums[kR][kTileQuads];
    unroll<kR>([&](auto r) MBRT_INLINE {
      unroll<kTileQuads>(
          [&](auto q) MBRT_INLINE { sums[r][q] = add_pairs(acc[r][2 * q], acc[r][2 * q + 1]); });
    });
    store_tile8<kEpilogue>(g, m, n, sums);
  }
};

}  // namespace

void gemm_s8(const GemmS8& g) {
  with_constant(g.epilogue, [&](auto epilogue) MBRT_INLINE { run_tiles<Tile<epilogue.value>>(g); });
}

std::size_t peak_s8(std::size_t iterations) {
  const int8x16_t a = vdupq_n_s8(static_cast<std::int8_t>(iterations % 127));
  const auto step = [a](int32x4_t acc) {
    const int8x16_t bytes = vreinterpretq_s8_s32(acc);
    return vpadalq_s16(acc, mul_add_high(mul_low(a, bytes), a, bytes));
  };
  return run_peak<8>(iterations, 16, vdupq_n_s32(0), step);
}

}  // namespace mbrt::MBRT_TARGET
