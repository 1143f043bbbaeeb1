// What the micro-kernels of every ISA share: how a GEMM is cut into tiles, and what is done to a
// finished accumulator.
//
// A kernel file describes one tile and the driver does the rest:
//
//   struct Tile {
//     using Gemm = GemmS8;                  // or GemmF32
//     static constexpr int kRows = 8;       // the tallest tile
//     static constexpr int kUnit = 16;      // columns come in units of 16, or 8 on some ARM
//     static constexpr int units(int rows); // the widest tile of that many rows, in units; not
//                                           // rising with rows
//     template <int kR, int kU>             // rows m .. m + kR - 1, columns n .. n + kU * kUnit - 1;
//     static void run(const Gemm& g, std::size_t m, std::size_t n);  // 1 <= kU <= units(kR)
//   };
//
// Every (kR, kU) is its own straight loop, so that few rows or columns cost what they are worth and
// nothing is padded. The column tile is the outer loop: its weights (at most 48 columns x K) stay
// in L1 while the row tiles pass, and row 0 is the one that brings them in (m == 0 is where a tile
// may prefetch).
//
// This header is compiled for several targets in one program, so everything in it lives in the
// target's namespace.
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

// A length cut into the fewest pieces of at most `most`, as even as can be: 16 by 12 is 8 + 8, 8 by
// 3 is 3 + 3 + 2.
class EvenSplit {
 public:
  EvenSplit(std::size_t length, std::size_t most)
      : pieces_((length + most - 1) / most), short_(0), longer_(length) {
    while (longer_ >= pieces_) {  // a division, but one of at most `most`: a few cycles and not 40
      longer_ -= pieces_;
      ++short_;
    }
  }

  std::size_t pieces() const { return pieces_; }
  std::size_t longest() const { return short_ + (longer_ != 0); }
  std::size_t size(std::size_t piece) const { return short_ + (piece < longer_); }

 private:
  std::size_t pieces_;
  std::size_t short_;   // length of a piece
  std::size_t longer_;  // how many pieces, the first ones, have one more
};

template <typename Tile>
using TileFn = void (*)(const typename Tile::Gemm&, std::size_t m, std::size_t n);

// The driver keeps to units(rows); what it never asks for is the widest there is.
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

// tallest: rows of a tile at most, kRows at most.
template <typename Tile>
void run_tiles(const typename Tile::Gemm& g, std::size_t tallest = Tile::kRows) {
  static constexpr TileTable<Tile> kTable =
      make_table<Tile>(std::make_integer_sequence<int, Tile::kRows>{});
  const EvenSplit rows(g.m, tallest);
  const std::size_t widest =
      static_cast<std::size_t>(Tile::units(static_cast<int>(rows.longest())));
  const EvenSplit columns(g.n / Tile::kUnit, widest);
  for (std::size_t c = 0, n = 0; c < columns.pieces(); ++c) {
    const std::size_t units = columns.size(c);
    for (std::size_t r = 0, m = 0; r < rows.pieces(); ++r) {
      kTable.fn[rows.size(r) - 1][units - 1](g, m, n);
      m += rows.size(r);
    }
    n += units * Tile::kUnit;
  }
}

// What a tile fetches while it multiplies; hardware that does so too stops at a page. A fetch past the
// end of the file does nothing.
enum class Prefetch {
  kNone,  // weights that an earlier row tile has brought
  kFar,   // what lies `ahead` behind the next column tile, to the second-level cache
  kNear,  // and the next column tile to the first
};

// f(constant): what the tile of kR rows from m fetches. Rows are split evenly, so a tile of less than
// half the tallest is the only one (or, where run_tiles was told less than the tallest, a last one, which
// then fetches what is there). What lies behind keys and values is not next.
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

// next: where the next column tile has the weights of this step.
template <Prefetch kPrefetch>
MBRT_INLINE inline void fetch([[maybe_unused]] const char* next,
                              [[maybe_unused]] std::size_t ahead) {
  if constexpr (kPrefetch != Prefetch::kNone) __builtin_prefetch(next + ahead, 0, 2);
  if constexpr (kPrefetch == Prefetch::kNear) __builtin_prefetch(next, 0, 3);
}

// From x (the sum with its bias) of a row and 16 columns to y.
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
  // Of kResidual alone.
  const float* residual_ = nullptr;
  std::size_t stride_ = 0;
  f32x16 scale_;
};

// The end of a tile: rows m .. m + kR - 1 and kB blocks of 16 columns from n, from sums to y. The
// GEMM is a copy: for all a compiler knows, each store of a result could change what a reference
// refers to, and it would be loaded again.

// gemm_s8, block by block: what its 16 columns need stays in registers for all rows.
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

// The epilogue is looked at here, once a tile, and not in the instantiation of everything before: a
// k loop exists once for all four, which halves what the tallest kernels weigh.
template <typename Gemm, typename Sum, int kR, int kB>
MBRT_INLINE inline void store_tile(const Gemm& g, std::size_t m, std::size_t n,
                                   const Sum (&acc)[kR][kB]) {
  with_constant(g.epilogue, [&](auto epilogue)
                                MBRT_INLINE { store_as<decltype(epilogue)::value>(g, m, n, acc); });
}

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_KERNELS_GEMM_TILE_H_
