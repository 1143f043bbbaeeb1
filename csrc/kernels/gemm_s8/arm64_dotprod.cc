// gemm_s8_8x8_dotprod: eight rows times eight columns of int8 weights, exact int32 sums.
//
//   acc[m][n] = sum_k q[m][k] * w[k][n]        sdot by lane: four k of four columns by four k of
//                                              one row, 16 products an instruction
//
// Weights n16k4: a quarter of a 64-byte row is one operand of sdot, as it lies in the file.
// Activations are read in place, 16 k of a row at a time; each of the four lanes serves one step.
// Registers: 16 accumulators (8 rows x 2 quads), 8 activations, 2 to 4 weights; 4 free.
// Exact for every input: nothing saturates, |acc| <= 65,536 * 128 * 127 < 2^31.
//
// Modelled (llvm-mca 19, no hardware): the loop runs at 100 % of Neoverse N1's two sdot a cycle,
// from two rows up, with GCC 12 and clang 19; at 68 and 59 % of Cortex-A55's one, which waits for
// 128-bit loads. The whole kernel for 32 rows on N1: 90 % at K = 512, 70 % at K = 128.
// Tried and dropped: 4x16 (20 loads for 64 sdot, not 16; GCC 12 spills: 91 %), 5x16 (85 %), 6x12
// (94 %); a barrier in front of each step's loads (GCC 12 makes eight moves: 89 %).
#include <cstddef>
#include <cstdint>

#include "kernels/arm_quads.h"
#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/gemm_tile.h"
#include "kernels/peak.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {
namespace {

template <Epilogue kEpilogue>
struct Tile {
  using Gemm = GemmS8;
  static constexpr int kRows = 8;
  static constexpr int kUnit = kTileColumns;
  static constexpr int units(int) { return 1; }

  template <int kR, int>
  static void run(const GemmS8& g, std::size_t m, std::size_t n) {
    int32x4_t acc[kR][kTileQuads];
    unroll<kR>([&](auto r) MBRT_INLINE {
      unroll<kTileQuads>([&](auto q) MBRT_INLINE { acc[r][q] = vdupq_n_s32(0); });
    });
    const auto* a = reinterpret_cast<const std::int8_t*>(g.a) + m * g.a_stride;
    const std::int8_t* w = g.w + n / 16 * 16 * g.k + n % 16 * 4;
    for (std::size_t k = 0; k < g.k; k += 16) {
      pin(acc);
      int8x16_t x[kR];
      unroll<kR>([&](auto r) MBRT_INLINE { x[r] = vld1q_s8(a + r * g.a_stride + k); });
      unroll<4>([&](auto four) MBRT_INLINE {
        constexpr int kLane = decltype(four)::value;
        int8x16_t weights[kTileQuads];
        unroll<kTileQuads>([&](auto q)
                               MBRT_INLINE { weights[q] = vld1q_s8(w + four * 64 + q * 16); });
        unroll<kR>([&](auto r) MBRT_INLINE {
          unroll<kTileQuads>([&](auto q) MBRT_INLINE {
            acc[r][q] = vdotq_laneq_s32(acc[r][q], weights[q], x[r], kLane);
          });
        });
        pin(acc);
      });
      w += 256;
    }
    store_tile8<kEpilogue>(g, m, n, acc);
  }
};

}  // namespace

void gemm_s8_linear(const GemmS8& g) { run_tiles<Tile<Epilogue::kLinear>>(g); }
void gemm_s8_relu(const GemmS8& g) { run_tiles<Tile<Epilogue::kRelu>>(g); }
void gemm_s8_residual(const GemmS8& g) { run_tiles<Tile<Epilogue::kResidual>>(g); }
void gemm_s8_product(const GemmS8& g) { run_tiles<Tile<Epilogue::kProduct>>(g); }

std::size_t peak_s8(std::size_t iterations) {
  const int8x16_t a = vdupq_n_s8(static_cast<std::int8_t>(iterations));
  const auto step = [a](int32x4_t acc) { return vdotq_laneq_s32(acc, a, a, 0); };
  return run_peak<16>(iterations, 16, vdupq_n_s32(0), step);
}

}  // namespace mbrt::MBRT_TARGET
