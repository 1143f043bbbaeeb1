// gemm_s8_4x16: four rows times 16 columns of int8 weights, exact int32 sums, by i32x4.dot_i16x8_s.
//
//   acc[m][n] = sum_k q[m][k] * w[k][n]        dot: products of 16 bits, neighbours added in 32 bits
//
// Eight bytes of weights (n16k4: two columns x four k) are widened as they are loaded. The activations
// are widened once per call, to 16 bits, with four k of each row of a tile side by side; four k of a row
// are loaded to both halves of a vector. An accumulator has two partial sums for each of two columns,
// added at the end. The 16 columns are four passes of four: 8 accumulators, 4 activations, 1 weights of
// the 16 registers of x86.
// Exact: two products are at most 2 * 128 * 127; the sums fit int32 for every K (gemm_s8.h).
//
// Other tiles (3 x 8 columns in one pass, for instance) were not faster: V8 reads operands from the stack where it has no
// register for them.
#include <cstddef>
#include <cstdint>

#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/gemm_s8/row_parts.h"
#include "kernels/gemm_s8/wasm_rows.h"
#include "kernels/gemm_tile.h"
#include "kernels/peak.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {
namespace {

// A product with its widened activations: for each tile, k / 4 times four values of each of its rows.
struct Widened : GemmS8 {
  const std::int16_t* wide;
};

constexpr int kPairs = 2;  // pairs of columns per pass

template <int kR>
MBRT_INLINE inline void multiply(const Widened& g, std::size_t m, const std::int8_t* w,
                                 v128_t (&acc)[kR][kPairs]) {
  unroll<kR>([&](auto r) MBRT_INLINE {
    unroll<kPairs>([&](auto p) MBRT_INLINE { acc[r][p] = wasm_i32x4_const_splat(0); });
  });
  const std::int16_t* a = g.wide + m * g.k;
  for (const std::int16_t* const end = a + kR * g.k; a != end; a += 4 * kR, w += 64) {
    v128_t four[kR];
    unroll<kR>([&](auto r) MBRT_INLINE { four[r] = wasm_v128_load64_splat(a + r * 4); });
    unroll<kPairs>([&](auto p) MBRT_INLINE {
      const v128_t weights = wasm_i16x8_load8x8(w + p * 8);
      unroll<kR>([&](auto r) MBRT_INLINE {
        acc[r][p] = wasm_i32x4_add(acc[r][p], wasm_i32x4_dot_i16x8(weights, four[r]));
      });
    });
  }
}

// Four columns from two pairs.
inline v128_t add_neighbours(v128_t a, v128_t b) {
  return wasm_i32x4_add(wasm_i32x4_shuffle(a, b, 0, 2, 4, 6), wasm_i32x4_shuffle(a, b, 1, 3, 5, 7));
}

struct Tile : TileShape<Widened, 4, 16> {
  template <int kR, int>
  static void run(const Widened& g, std::size_t m, std::size_t n) {
    const std::int8_t* w = g.w + n * g.k;
    v128_t columns[kR][4];
    unroll<4>([&](auto pass) MBRT_INLINE {
      v128_t acc[kR][kPairs];
      multiply<kR>(g, m, w + pass * kPairs * 8, acc);
      unroll<kR>([&](auto r)
                     MBRT_INLINE { columns[r][pass] = add_neighbours(acc[r][0], acc[r][1]); });
    });
    i32x16 sums[kR];
    unroll<kR>([&](auto r) MBRT_INLINE {
      sums[r] = {columns[r][0], columns[r][1], columns[r][2], columns[r][3]};
    });
    store_rows(g, m, n, sums, kR);
  }
};

void widen(const GemmS8& g, std::int16_t* wide) {
  const EvenSplit tiles(g.m, Tile::kRows);
  const std::uint8_t* a = g.a;
  for (std::size_t t = 0; t < tiles.pieces(); ++t) {
    const std::size_t rows = tiles.size(t);
    for (std::size_t r = 0; r < rows; ++r, a += g.a_stride) {
      std::int16_t* to = wide + r * 4;
      for (std::size_t k = 0; k < g.k; k += 8, to += 8 * rows) {
        const v128_t eight = wasm_i16x8_load8x8(a + k);
        wasm_v128_store64_lane(to, eight, 0);
        wasm_v128_store64_lane(to + 4 * rows, eight, 1);
      }
    }
    wide += rows * g.k;
  }
}

constexpr std::size_t kMaxValues = kMaxKS8;  // 64 rows of K = 512, or one row of max K

}  // namespace

void gemm_s8(const GemmS8& g) {
  alignas(16) std::int16_t wide[kMaxValues];
  const EvenSplit parts(g.m, kMaxValues / g.k);
  for (std::size_t i = 0, first = 0; i < parts.pieces(); ++i) {
    const GemmS8 part = rows_of(g, first, parts.size(i));
    widen(part, wide);
    run_tiles<Tile>(Widened{part, wide});
    first += part.m;
  }
}

std::size_t peak_s8(std::size_t iterations) {
  const v128_t a = wasm_i16x8_splat(static_cast<std::int16_t>(iterations % 127));
  const auto step = [a](v128_t acc) { return wasm_i32x4_add(acc, wasm_i32x4_dot_i16x8(a, acc)); };
  return run_peak<12>(iterations, 8, wasm_i32x4_splat(1), step);
}

}  // namespace mbrt::MBRT_TARGET
