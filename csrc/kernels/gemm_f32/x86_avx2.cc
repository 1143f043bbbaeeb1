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
#include "kernels/gemm_f32/x86.h"

namespace mbrt::MBRT_TARGET {
namespace {

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

std::size_t peak_f32(std::size_t iterations) { return peak_fma<6>(iterations); }

}  // namespace mbrt::MBRT_TARGET
