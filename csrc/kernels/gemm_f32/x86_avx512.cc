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
#include "kernels/gemm_f32/x86.h"

namespace mbrt::MBRT_TARGET {
namespace {

struct Tile : TileShape<GemmF32, 8, 16, 3> {
  template <int kR, int kB>
  static void run(const GemmF32& g, std::size_t m, std::size_t n) {
    f32x16 acc[kR][kB];
    multiply<false>(g, m, n, acc);
    store_tile(g, m, n, acc);
  }
};

}  // namespace

void gemm_f32(const GemmF32& g) { run_tiles<Tile>(g); }

std::size_t peak_f32(std::size_t iterations) { return peak_fma<24>(iterations); }

}  // namespace mbrt::MBRT_TARGET
