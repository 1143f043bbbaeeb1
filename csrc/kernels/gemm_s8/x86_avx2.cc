// gemm_s8_4x16_avx2: four rows times 16 columns of int8 weights, exact int32 sums.
//
// vpmaddubsw multiplies unsigned by signed bytes and adds pairs in 16 bits, saturating: the classic
// trap. Here the unsigned side is |q| <= 128 and the signed side is sign(w, q), |w| <= 127, so a
// pair is at most 2 * 128 * 127 = 32,512 and nothing saturates. |q| * sign(w, q) = q * w exactly,
// also for q = -128.
//
// Weights n16k4: a 64-byte row is two registers of 8 columns x 4 k, and broadcasts of four
// activations and of their sizes meet both. Registers: 8 accumulators, 2 weights, the ones of
// vpmaddwd, q and |q|, 2 products; 1 free. (Six rows would need 18: gcc and clang then reload the
// weights for each row.) Fewer than three rows take 32 columns, which share the broadcasts.
//
// |q| is made once a row and not once a tile: a copy of the rows on the stack, whose broadcast is a
// load, where vpabsb would take one of nine turns of the pipes that multiply. For 64 products they
// then do 2 x (sign, maddubs, madd, add), and two broadcasts and half a load of weights pass by.
// Widening to 16 bits (vpmovsxbw, vpmaddwd, vpaddd) takes 12.7 operations, since a register then
// holds 4 columns and only three rows of accumulators fit.
//
// Measured in turns with the state before, on a Zen 3 that changed its speed under it. Sizes made once:
// at 128 rows 9 % less time by the least of 14 turns, nothing by the median (llvm-mca: 19 % of Skylake's
// loop, 2 % of Zen 3's). The next weights fetched while the first row tile passes (gemm_tile.h), 24
// layers of MobileBERT: 42 % less by the least at 1 row, 47 % at 2, 32 % at 4, 18 % at 8, 10 % at 16; by
// the median 32, 44, 35, 15 and 8 %.
#include <cstddef>
#include <cstdint>

#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/gemm_tile.h"
#include "kernels/peak.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {
namespace {

struct Weights {
  __m256i lo, hi;  // columns 0..7, 8..15
};

// A product, and the size of every activation: rows of k bytes.
struct Sized : GemmS8 {
  const std::uint8_t* size;
};

inline Weights load_weights(const std::int8_t* row) {
  const auto* v = reinterpret_cast<const __m256i*>(row);
  return {_mm256_load_si256(v), _mm256_load_si256(v + 1)};
}

// acc += q . w, in each of the 8 lanes four times four signed bytes; size is |q|.
MBRT_INLINE inline void dot(__v8si& acc, __m256i q, __m256i size, __m256i w) {
  const __m256i pairs = _mm256_maddubs_epi16(size, _mm256_sign_epi8(w, q));
  acc = lanes(_mm256_add_epi32(raw(acc), _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))));
}

MBRT_INLINE inline __m256i broadcast_four(const std::uint8_t* bytes) {
  std::int32_t four;
  __builtin_memcpy(&four, bytes, sizeof four);
  return _mm256_set1_epi32(four);
}

template <int kB>
MBRT_INLINE inline void dot_row(i32x16 (&acc)[kB], const std::uint8_t* a,
                                const std::uint8_t* a_size, const Weights (&weights)[kB]) {
  const __m256i q = broadcast_four(a);
  const __m256i size = broadcast_four(a_size);
  unroll<kB>([&](auto b) MBRT_INLINE {
    dot(acc[b].lo, q, size, weights[b].lo);
    dot(acc[b].hi, q, size, weights[b].hi);
  });
}

// acc = the products of rows m .. m + kR - 1 and kB blocks of columns from n.
template <Prefetch kPrefetch, int kR, int kB>
MBRT_INLINE inline void multiply(const Sized& g, std::size_t m, std::size_t n,
                                 i32x16 (&acc)[kR][kB]) {
  unroll<kR>([&](auto r) MBRT_INLINE {
    unroll<kB>([&](auto b) MBRT_INLINE { acc[r][b] = broadcast_i32(0); });
  });
  const std::uint8_t* a = g.a + m * g.a_stride;
  const std::uint8_t* size = g.size + m * g.k;
  const std::int8_t* w = g.w + n * g.k;
  const std::size_t panel = g.k * 16;
  const auto* next = reinterpret_cast<const char*>(w) + kB * panel;
  for (std::size_t k = 0; k < g.k; k += 4, a += 4, size += 4, w += 64, next += kB * 64) {
    Weights weights[kB];
    unroll<kB>([&](auto b) MBRT_INLINE {
      weights[b] = load_weights(w + b * panel);
      fetch<kPrefetch>(next + b * 64);
    });
    unroll<kR>([&](auto r)
                   MBRT_INLINE { dot_row(acc[r], a + r * g.a_stride, size + r * g.k, weights); });
  }
}

struct Tile {
  using Gemm = Sized;
  static constexpr int kRows = 4;
  static constexpr int kUnit = 16;
  static constexpr int units(int rows) { return rows <= 2 ? 2 : 1; }

  template <int kR, int kB>
  static void run(const Sized& g, std::size_t m, std::size_t n) {
    i32x16 acc[kR][kB];
    with_prefetch<Tile, kR>(g, m, [&](auto prefetch) MBRT_INLINE {
      multiply<decltype(prefetch)::value>(g, m, n, acc);
    });
    store_tile(g, m, n, acc);
  }
};

// Sizes of so many activations at a time: 128 rows of K = 512, and a row of the deepest product.
constexpr std::size_t kSizes = 65536;

void write_sizes(const GemmS8& g, std::uint8_t* to) {
  for (std::size_t m = 0; m < g.m; ++m, to += g.k) {
    const std::uint8_t* a = g.a + m * g.a_stride;
    for (std::size_t k = 0; k < g.k; k += 16) {
      const __m128i q = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a + k));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(to + k), _mm_abs_epi8(q));
    }
  }
}

// The same product of the rows from `first`, `rows` of them.
GemmS8 rows_of(const GemmS8& g, std::size_t first, std::size_t rows) {
  GemmS8 part = g;
  part.m = rows;
  part.a += first * g.a_stride;
  part.out += first * g.out_stride;
  if (g.epilogue != Epilogue::kProduct) {
    part.a_scale += first;
    part.a_shift += first;
  }
  if (g.epilogue == Epilogue::kResidual) part.residual += first * g.residual_stride;
  return part;
}

}  // namespace

void gemm_s8(const GemmS8& g) {
  alignas(64) std::uint8_t sizes[kSizes];
  const std::size_t most = kSizes / g.k;
  const std::size_t fits = most < Tile::kRows ? most : most / Tile::kRows * Tile::kRows;
  for (std::size_t first = 0; first < g.m; first += fits) {
    const GemmS8 part = rows_of(g, first, g.m - first < fits ? g.m - first : fits);
    write_sizes(part, sizes);
    run_tiles<Tile>(Sized{part, sizes});
  }
}

std::size_t peak_s8(std::size_t iterations) {
  const __m256i q = _mm256_set1_epi32(static_cast<int>(iterations));
  const __m256i size = _mm256_abs_epi8(q);
  const auto step = [=](__v8si acc) {
    dot(acc, q, size, raw(acc));  // weights that change, or the products would leave the loop
    return acc;
  };
  return run_peak<12>(iterations, 32, lanes(q), step);
}

}  // namespace mbrt::MBRT_TARGET
