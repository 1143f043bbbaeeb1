// gemm_s8_8x8_i8mm: eight rows times eight columns of int8 weights, exact int32 sums.
//
//   acc[m][n] = sum_k q[m][k] * w[k][n]        smmla: eight k of two rows by eight k of two
//                                              columns, a block of 2 x 2 sums, 32 products
//
// Its operands are pairs: eight k of a row and eight k of the next row. Neither the weights (n16k4)
// nor the rows are stored like that, and zip uses the same pipes as smmla: pairing inside the loop
// costs 8 zips for 16 smmla. So all rows are paired before the first column, and the columns of a
// tile (8 x K bytes, in L1) before the first row. A single tile of rows zips its columns in the
// loop, because they are used only once.
// Registers: 16 accumulators (4 pairs of rows x 4 pairs of columns), 4 columns, 1 to 4 rows.
// Exact for every input: nothing saturates, |acc| <= 32,768 * 128 * 127 < 2^31.
//
// Modelled (llvm-mca 19, no hardware) on Neoverse V1 and V2, share of the peak of four smmla per
// cycle: 100 % with paired operands, 80 % with paired rows (the bound with 4 zips for 16 smmla),
// 66 % with neither (K > 4096).
// Tried and dropped: pairing inside the loop for any number of rows (55 % of the peak for 32 rows
// at K = 512; this kernel then had 69 %); zips of 16 k of two rows instead of loading halves, and
// 12x8 (GCC 12 spills in both).
#include <cstddef>
#include <cstdint>
#include <utility>

#include "kernels/arm_quads.h"
#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/gemm_tile.h"
#include "kernels/peak.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {
namespace {

constexpr int kMaxRows = 8;
constexpr int kColumnPairs = kTileColumns / 2;
using ColumnPairs = int8x16_t[kColumnPairs];

// Eight k of the tile's columns from two rows of packed weights, 64 bytes apart.
MBRT_INLINE inline void zip_columns(const std::int8_t* w, ColumnPairs& pairs) {
  unroll<kTileQuads>([&](auto q) MBRT_INLINE {
    const int32x4_t first = vreinterpretq_s32_s8(vld1q_s8(w + q * 16));
    const int32x4_t second = vreinterpretq_s32_s8(vld1q_s8(w + q * 16 + 64));
    pairs[2 * q] = vreinterpretq_s8_s32(vzip1q_s32(first, second));
    pairs[2 * q + 1] = vreinterpretq_s8_s32(vzip2q_s32(first, second));
  });
}

// Where a tile's operands come from. Directly from the arrays of the GEMM, paired in the loop:
struct Direct {
  const std::int8_t* a;
  std::size_t a_stride;
  const std::int8_t* w;

  MBRT_INLINE void columns(std::size_t k, ColumnPairs& pairs) const {
    zip_columns(w + k * 16, pairs);
  }
  MBRT_INLINE int8x16_t rows(std::size_t upper, std::size_t lower, std::size_t k) const {
    return vcombine_s8(vld1_s8(a + upper * a_stride + k), vld1_s8(a + lower * a_stride + k));
  }
};

// from a paired copy of the rows, [row / 2][k / 8][row % 2][k % 8], and the columns as stored:
struct PairedRows {
  const std::int8_t* a;
  std::size_t a_stride;  // of a pair: twice k
  const std::int8_t* w;

  MBRT_INLINE void columns(std::size_t k, ColumnPairs& pairs) const {
    zip_columns(w + k * 16, pairs);
  }
  MBRT_INLINE int8x16_t rows(std::size_t upper, std::size_t, std::size_t k) const {
    return vld1q_s8(a + upper / 2 * a_stride + 2 * k);
  }
};

// or both from copies, columns [k / 8][column][k % 8].
struct Paired : PairedRows {
  MBRT_INLINE void columns(std::size_t k, ColumnPairs& pairs) const {
    unroll<kColumnPairs>([&](auto c)
                             MBRT_INLINE { pairs[c] = vld1q_s8(w + k * kTileColumns + c * 16); });
  }
};

// Rows m .. m + kR - 1, columns n .. n + 7.
template <Epilogue kEpilogue, int kR, int kStart, typename From>
MBRT_INLINE inline void multiply(const GemmS8& g, std::size_t m, std::size_t n, std::size_t depth,
                                 const From& from) {
  constexpr int kRowPairs = (kR + 1) / 2;
  int32x4_t acc[kRowPairs][kColumnPairs];
  unroll<kRowPairs>([&](auto p) MBRT_INLINE {
    unroll<kColumnPairs>([&](auto c) MBRT_INLINE { acc[p][c] = vdupq_n_s32(kStarts[kStart]); });
  });
  for (std::size_t k = 0; k < depth; k += 8) {
    ColumnPairs columns;
    from.columns(k, columns);
    unroll<kRowPairs>([&](auto p) MBRT_INLINE {
      constexpr std::size_t kUpper = 2 * decltype(p)::value;
      constexpr std::size_t kLower = kUpper + 1 < kR ? kUpper + 1 : kUpper;  // an odd row twice
      const int8x16_t rows = from.rows(kUpper, kLower, k);
      unroll<kColumnPairs>(
          [&](auto c) MBRT_INLINE { acc[p][c] = vmmlaq_s32(acc[p][c], rows, columns[c]); });
    });
  }
  int32x4_t sums[kR][kTileQuads];  // 2 x 2 blocks to rows
  unroll<kR>([&](auto r) MBRT_INLINE {
    unroll<kTileQuads>([&](auto q) MBRT_INLINE {
      const int64x2_t left = vreinterpretq_s64_s32(acc[r / 2][2 * q]);
      const int64x2_t right = vreinterpretq_s64_s32(acc[r / 2][2 * q + 1]);
      sums[r][q] =
          vreinterpretq_s32_s64(r % 2 == 0 ? vzip1q_s64(left, right) : vzip2q_s64(left, right));
    });
  });
  store_tile8<kEpilogue, kStart>(g, m, n, sums);
}

// For a K so large that few rows fit into the copy.
template <Epilogue kEpilogue>
struct Tile : TileShape<GemmS8, kMaxRows, kTileColumns> {
  template <int kR, int>
  static void run(const GemmS8& g, std::size_t m, std::size_t n) {
    const Direct from{rows_from(g, m), g.a_stride, columns_from(g, n)};
    multiply<kEpilogue, kR, kAtZero>(g, m, n, g.k, from);
  }
};

// The copies of rows and of columns are on the stack: 32 KiB each, 64 rows of K = 512.
constexpr std::size_t kMaxPairedK = 4096;
constexpr std::size_t kPairedBytes = kMaxPairedK * kMaxRows;

void pair_rows(const GemmS8& g, std::size_t m, std::size_t rows, std::int8_t* to) {
  for (std::size_t r = 0; r < rows; r += 2) {
    const std::int8_t* upper = rows_from(g, m + r);
    const std::int8_t* lower = r + 1 < rows ? upper + g.a_stride : upper;
    for (std::size_t k = 0; k < g.k; k += 16, to += 32) {
      const int64x2_t u = vreinterpretq_s64_s8(vld1q_s8(upper + k));
      const int64x2_t l = vreinterpretq_s64_s8(vld1q_s8(lower + k));
      vst1q_s8(to, vreinterpretq_s8_s64(vzip1q_s64(u, l)));
      vst1q_s8(to + 16, vreinterpretq_s8_s64(vzip2q_s64(u, l)));
    }
  }
}

void pair_columns(const GemmS8& g, std::size_t n, std::int8_t* to) {
  const std::int8_t* w = columns_from(g, n);
  for (std::size_t k = 0; k < g.k; k += 8, w += 128, to += 8 * kTileColumns) {
    ColumnPairs pairs;
    zip_columns(w, pairs);
    unroll<kColumnPairs>([&](auto c) MBRT_INLINE { vst1q_s8(to + c * 16, pairs[c]); });
  }
}

template <Epilogue kEpilogue, int kR>
void single_tile(const GemmS8& g, std::size_t n, const PairedRows& from) {
  multiply<kEpilogue, kR, kAtZero>(g, 0, n, g.k, from);
}

template <Epilogue kEpilogue, int kR>
void paired_tile(const GemmS8& g, std::size_t m, std::size_t n, const Paired& from) {
  multiply<kEpilogue, kR, kAtZero>(g, m, n, g.k, from);
}

// Rows m .. end - 1, a multiple of eight: no function call per tile, and each address is the
// previous one plus a constant.
template <Epilogue kEpilogue, int kRows, int kStart>
__attribute__((noinline)) void full_tiles(const GemmS8& g, std::size_t m, std::size_t end,
                                          std::size_t n, Paired from) {
  const std::size_t depth = g.k;
  GemmS8 at = g;
  advance<kEpilogue>(at, m, n);
  for (; m < end; m += kRows) {
    multiply<kEpilogue, kRows, kStart>(at, 0, 0, depth, from);
    from.a += kRows * depth;
    advance<kEpilogue>(at, kRows, 0);
  }
}

// A single tile of rows.
template <Epilogue kEpilogue, int... kFewer>
void small_gemm(const GemmS8& g, std::int8_t* a, std::integer_sequence<int, kFewer...>) {
  using Fn = void (*)(const GemmS8&, std::size_t, const PairedRows&);
  static constexpr Fn kTiles[kMaxRows] = {single_tile<kEpilogue, kFewer + 1>...};
  pair_rows(g, 0, g.m, a);
  for (std::size_t n = 0; n < g.n; n += kTileColumns) {
    kTiles[g.m - 1](g, n, PairedRows{a, 2 * g.k, columns_from(g, n)});
  }
}

template <Epilogue kEpilogue, int... kFewer>
void large_gemm(const GemmS8& g, std::int8_t* a, std::integer_sequence<int, kFewer...>) {
  using Fn = void (*)(const GemmS8&, std::size_t, std::size_t, const Paired&);
  static constexpr Fn kTiles[kMaxRows] = {paired_tile<kEpilogue, kFewer + 1>...};
  const auto full = g.k <= kMaxKAtRound ? full_tiles<kEpilogue, kMaxRows, kAtRound>
                                        : full_tiles<kEpilogue, kMaxRows, kAtZero>;
  alignas(64) std::int8_t w[kPairedBytes];
  const std::size_t capacity = kPairedBytes / g.k / kMaxRows * kMaxRows;
  for (std::size_t first = 0; first < g.m; first += capacity) {
    const std::size_t rows = g.m - first < capacity ? g.m - first : capacity;
    const std::size_t whole = rows / kMaxRows * kMaxRows;
    pair_rows(g, first, rows, a);
    for (std::size_t n = 0; n < g.n; n += kTileColumns) {
      pair_columns(g, n, w);
      full(g, first, first + whole, n, Paired{{a, 2 * g.k, w}});
      if (whole < rows) {
        kTiles[rows - whole - 1](g, first + whole, n, Paired{{a + whole * g.k, 2 * g.k, w}});
      }
    }
  }
}

template <Epilogue kEpilogue>
__attribute__((noinline)) void gemm(const GemmS8& g) {
  if (g.k > kMaxPairedK) {
    run_tiles<Tile<kEpilogue>>(g);
    return;
  }
  alignas(64) std::int8_t a[kPairedBytes];
  constexpr auto kFewer = std::make_integer_sequence<int, kMaxRows>{};
  if (g.m <= kMaxRows) {
    small_gemm<kEpilogue>(g, a, kFewer);
  } else {
    large_gemm<kEpilogue>(g, a, kFewer);
  }
}

}  // namespace

void gemm_s8(const GemmS8& g) {
  with_constant(g.epilogue, [&](auto epilogue) MBRT_INLINE { gemm<epilogue.value>(g); });
}

std::size_t peak_s8(std::size_t iterations) {
  const int8x16_t a = vdupq_n_s8(static_cast<std::int8_t>(iterations));
  const auto step = [a](int32x4_t acc) { return vmmlaq_s32(acc, a, a); };
  return run_peak<16>(iterations, 32, vdupq_n_s32(0), step);
}

}  // namespace mbrt::MBRT_TARGET
