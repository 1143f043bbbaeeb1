// Shared by the micro-kernels of every ISA: how a GEMM is divided into tiles, and the epilogues.
//
// A kernel file describes one tile; the driver calls it for all rows and columns:
//
//   struct Tile {
//     using Gemm = GemmS8;                  // or GemmF32
//     static constexpr int kRows = 8;       // max rows of a tile
//     static constexpr int kUnit = 16;      // columns come in units of 16, or 8 on some ARM
//     static constexpr int units(int rows); // max units of a tile with that many rows; must not
//                                           // increase with rows
//     template <int kR, int kU>             // rows m .. m + kR - 1, columns n .. n + kU * kUnit - 1;
//     static void run(const Gemm& g, std::size_t m, std::size_t n);  // 1 <= kU <= units(kR)
//   };
//
// Every (kR, kU) is a function of its own, so that few rows or columns need no padding. The column
// tile is the outer loop: its weights (at most 48 columns x K) stay in L1 for all row tiles; the
// first one (m == 0) loads them and may prefetch.
//
// This header is compiled for several targets in one program, so everything in it is in the
// namespace of the target.
#ifndef MBRT_KERNELS_GEMM_TILE_H_
#define MBRT_KERNELS_GEMM_TILE_H_

#include <cstddef>
#include <type_traits>
#include <utility>

#include "kernels/gemm_f32/gemm_f32.h"
#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/unroll.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {

// Splits a length into the fewest pieces of at most max_size, as even as possible: 16 by 12 is
// 8 + 8, 8 by 3 is 3 + 3 + 2.
class EvenSplit {
 public:
  EvenSplit(std::size_t length, std::size_t max_size)
      : pieces_((length + max_size - 1) / max_size), short_(0), longer_(length) {
    while (longer_ >= pieces_) {  // a division with a small quotient: a few cycles instead of 40
      longer_ -= pieces_;
      ++short_;
    }
  }

  std::size_t pieces() const { return pieces_; }
  std::size_t longest() const { return short_ + (longer_ != 0); }
  std::size_t size(std::size_t piece) const { return short_ + (piece < longer_); }

 private:
  std::size_t pieces_;
  std::size_t short_;   // length of the short pieces
  std::size_t longer_;  // how many pieces, the first ones, are one longer
};

// What most tiles derive from: as many units for any number of rows.
template <typename G, int kMaxRows, int kColumns, int kUnits = 1>
struct TileShape {
  using Gemm = G;
  static constexpr int kRows = kMaxRows;
  static constexpr int kUnit = kColumns;
  static constexpr int units(int) { return kUnits; }
};

template <typename Tile>
using TileFn = void (*)(const typename Tile::Gemm&, std::size_t m, std::size_t n);

// The driver never asks for more than units(kR); those entries repeat the widest tile.
template <typename Tile, int kR, int kU>
constexpr TileFn<Tile> tile_fn() {
  return &Tile::template run<kR, (kU < Tile::units(kR) ? kU : Tile::units(kR))>;
}

template <typename Tile>
struct TileTable {
  static constexpr int kRows = Tile::kRows;
  static constexpr int kUnits = Tile::units(1);
  TileFn<Tile> fn[kRows][kUnits];
};

template <typename Tile, int kR, int... kU>
constexpr void fill_row(TileTable<Tile>& table, std::integer_sequence<int, kU...>) {
  ((table.fn[kR][kU] = tile_fn<Tile, kR + 1, kU + 1>()), ...);
}

template <typename Tile, int... kR>
constexpr TileTable<Tile> make_table(std::integer_sequence<int, kR...>) {
  TileTable<Tile> table{};
  (fill_row<Tile, kR>(table, std::make_integer_sequence<int, TileTable<Tile>::kUnits>{}), ...);
  return table;
}

// max_rows: of a tile; at most Tile::kRows.
template <typename Tile>
void run_tiles(const typename Tile::Gemm& g, std::size_t max_rows = Tile::kRows) {
  static constexpr TileTable<Tile> kTable =
      make_table<Tile>(std::make_integer_sequence<int, Tile::kRows>{});
  const EvenSplit rows(g.m, max_rows);
  const std::size_t max_units =
      static_cast<std::size_t>(Tile::units(static_cast<int>(rows.longest())));
  const EvenSplit columns(g.n / Tile::kUnit, max_units);
  for (std::size_t c = 0, n = 0; c < columns.pieces(); ++c) {
    const std::size_t units = columns.size(c);
    for (std::size_t r = 0, m = 0; r < rows.pieces(); ++r) {
      kTable.fn[rows.size(r) - 1][units - 1](g, m, n);
      m += rows.size(r);
    }
    n += units * Tile::kUnit;
  }
}

// What a tile prefetches while it multiplies (the hardware prefetcher stops at the end of a page). A
// prefetch past the end of the file does nothing.
enum class Prefetch {
  kNone,  // nothing: an earlier row tile has loaded the weights
  kFar,   // to L2: `ahead` bytes after the next column tile
  kNear,  // kFar, and the next column tile to L1
};

// Calls f with the Prefetch of the tile of kR rows from m as a constant. Rows are split evenly, so a
// tile of fewer than kRows / 2 rows is the only one (or, with a smaller max_rows, the last one, which
// then prefetches as well). Nothing useful follows keys and values, so kProduct prefetches nothing.
template <typename Tile, int kR, typename F>
MBRT_INLINE inline void with_prefetch(const typename Tile::Gemm& g, std::size_t m, F&& f) {
  if (g.epilogue == Epilogue::kProduct || (kR >= Tile::kRows / 2 && m != 0)) {
    f(std::integral_constant<Prefetch, Prefetch::kNone>{});
  } else if (g.m == kR) {
    f(std::integral_constant<Prefetch, Prefetch::kNear>{});
  } else {
    f(std::integral_constant<Prefetch, Prefetch::kFar>{});
  }
}

// next: the weights of this step in the next column tile.
template <Prefetch kPrefetch>
MBRT_INLINE inline void fetch([[maybe_unused]] const char* next,
                              [[maybe_unused]] std::size_t ahead) {
  if constexpr (kPrefetch != Prefetch::kNone) __builtin_prefetch(next + ahead, 0, 2);
  if constexpr (kPrefetch == Prefetch::kNear) __builtin_prefetch(next, 0, 3);
}

// From x (the sum with its bias) to y, for 16 columns of a row.
template <Epilogue kEpilogue>
class FinishBlock {
 public:
  MBRT_INLINE FinishBlock(const float* residual, std::size_t stride, const float* scale,
                          std::size_t m, std::size_t column) {
    if constexpr (kEpilogue == Epilogue::kResidual) {
      residual_ = residual + m * stride + column;
      stride_ = stride;
      scale_ = load(scale + column);
    }
  }

  MBRT_INLINE f32x16 operator()(std::size_t row, f32x16 x) const {
    if constexpr (kEpilogue == Epilogue::kRelu) return max(x, zero());
    if constexpr (kEpilogue == Epilogue::kResidual) {
      return fma(load(residual_ + row * stride_), scale_, x);
    }
    return x;
  }

 private:
  // kResidual only.
  const float* residual_ = nullptr;
  std::size_t stride_ = 0;
  f32x16 scale_;
};

// The epilogue of a tile: rows m .. m + kR - 1 and kB blocks of 16 columns from n, from sums to y.
// The GEMM is passed by value: through a reference, a compiler must assume that a store changes its
// members, and loads them again.

// gemm_s8, block by block: the factors of 16 columns stay in registers for all rows.
template <Epilogue kEpilogue, int kR, int kB>
MBRT_INLINE inline void store_as(GemmS8 g, std::size_t m, std::size_t n,
                                 const i32x16 (&acc)[kR][kB]) {
  unroll<kB>([&](auto b) MBRT_INLINE {
    const std::size_t column = n + b * 16;
    float* out = g.out + m * g.out_stride + column;
    const f32x16 w_scale = load(g.w_scale + column);
    if constexpr (kEpilogue == Epilogue::kProduct) {
      unroll<kR>([&](auto r) MBRT_INLINE {
        store(out + r * g.out_stride, mul(to_f32(acc[r][b]), w_scale));
      });
    } else {
      const f32x16 w_sum = load(g.w_sum + column);
      const f32x16 bias = load(g.bias + column);
      const FinishBlock<kEpilogue> finish(g.residual, g.residual_stride, g.residual_scale, m,
                                          column);
      unroll<kR>([&](auto r) MBRT_INLINE {
        const f32x16 scale = mul(broadcast(g.a_scale[m + r]), w_scale);
        const f32x16 base = fma(broadcast(g.a_shift[m + r]), w_sum, bias);
        store(out + r * g.out_stride, finish(r, fma(to_f32(acc[r][b]), scale, base)));
      });
    }
  });
}

// gemm_f32.
template <Epilogue kEpilogue, int kR, int kB>
MBRT_INLINE inline void store_as(GemmF32 g, std::size_t m, std::size_t n,
                                 const f32x16 (&acc)[kR][kB]) {
  unroll<kB>([&](auto b) MBRT_INLINE {
    const std::size_t column = n + b * 16;
    float* out = g.out + m * g.out_stride + column;
    if constexpr (kEpilogue == Epilogue::kProduct) {
      unroll<kR>([&](auto r) MBRT_INLINE { store(out + r * g.out_stride, acc[r][b]); });
    } else {
      const f32x16 bias = load(g.bias + column);
      const FinishBlock<kEpilogue> finish(g.residual, g.residual_stride, g.residual_scale, m,
                                          column);
      unroll<kR>([&](auto r) MBRT_INLINE {
        store(out + r * g.out_stride, finish(r, add(acc[r][b], bias)));
      });
    }
  });
}

// The epilogue is tested here, once per tile, so that each k loop is compiled once and not four
// times: half the code size of the largest kernels.
template <typename Gemm, typename Sum, int kR, int kB>
MBRT_INLINE inline void store_tile(const Gemm& g, std::size_t m, std::size_t n,
                                   const Sum (&acc)[kR][kB]) {
  with_constant(g.epilogue, [&](auto epilogue)
                                MBRT_INLINE { store_as<decltype(epilogue)::value>(g, m, n, acc); });
}

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_KERNELS_GEMM_TILE_H_
