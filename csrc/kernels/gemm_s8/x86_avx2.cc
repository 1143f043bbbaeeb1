// gemm_s8_6x16_avx2: six rows times 16 columns of int8 weights, or three times 32, exact int32 sums.
//
// vpmaddubsw multiplies unsigned by signed bytes and adds pairs in 16 bits with saturation. Here the
// unsigned operand is |q| and the signed one is w ^ mask, where mask is 0xFF for a negative q.
// Since w ^ 0xFF = -w - 1,
//
//   sum_k |q| (w ^ mask) = sum_k q w - sum_{q < 0} |q|
//
// The last sum is the same for all columns: a row's accumulators start at it. A pair is within
// -2 * 128 * 128 .. 2 * 127 * 128 and fits 16 bits: nothing saturates, for any bytes.
//
// 64 products take 2 x (xor, maddubs, madd, add). vpsignb instead of the xor would need no start
// value, but issues on two pipes of Zen 3 where xor has four (Skylake: two and three). Masks and
// |q| are computed once per row, on the stack, and not once per tile: vpcmpgtb and vpabsb would add
// a fifth to the time.
//
// Weights n16k4: a 64-byte row is two memory operands of 8 columns x 4 k.
// Registers: 12 accumulators, the ones of vpmaddwd, mask, |q|, a product.
//
// Measured on Zen 3, loops from L1, products per cycle: 3 x 32 28.2, 6 x 16 27.0, 4 x 16 with its
// weights in registers 27.5, 4 x 16 with vpsignb 24.2; 2 x 48 and 4 x 24 as 3 x 32; vpmaddwd with
// weights stored in 16 bits 25. The bound is 32: two multiplications and two other operations for
// 32 products, on four pipes.
#include <cstddef>
#include <cstdint>

#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/gemm_s8/row_parts.h"
#include "kernels/gemm_tile.h"
#include "kernels/peak.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {
namespace {

// A product with split activations: for every four, a dword of masks (0xFF where q < 0) and one of
// |q|, in rows of 2 k bytes; and the start value of each row's sums.
struct Split : GemmS8 {
  const std::uint8_t* split;
  const std::int32_t* start;
};

MBRT_INLINE inline void add_pairs(__v8si& acc, __m256i pairs) {
  acc = lanes(_mm256_add_epi32(raw(acc), _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))));
}

// acc += size . flipped: in each of the 8 lanes a dot product of four bytes.
MBRT_INLINE inline void dot(__v8si& acc, __m256i size, __m256i flipped) {
  add_pairs(acc, _mm256_maddubs_epi16(size, flipped));
}

// w ^ mask, with w as memory operand: a compiler would load w for all rows and spill registers.
MBRT_INLINE inline __m256i flip(const std::int8_t* w, __m256i mask) {
  __m256i flipped;
  asm("vpxor %2, %1, %0" : "=x"(flipped) : "x"(mask), "m"(*reinterpret_cast<const __m256i*>(w)));
  return flipped;
}

// The same for the product without masks.
MBRT_INLINE inline __m256i products_of_pairs(__m256i four, const std::int8_t* w) {
  __m256i pairs;
  asm("vpmaddubsw %2, %1, %0" : "=x"(pairs) : "x"(four), "m"(*reinterpret_cast<const __m256i*>(w)));
  return pairs;
}

MBRT_INLINE inline __m256i broadcast_four(const std::uint8_t* bytes) {
  std::int32_t four;
  __builtin_memcpy(&four, bytes, sizeof four);
  return _mm256_set1_epi32(four);
}

// One row; blocks of columns are `panel` bytes apart.
template <int kB>
MBRT_INLINE inline void dot_row(i32x16 (&acc)[kB], const std::uint8_t* four, const std::int8_t* w,
                                std::size_t panel) {
  const __m256i mask = broadcast_four(four);
  const __m256i size = broadcast_four(four + 4);
  unroll<kB>([&](auto b) MBRT_INLINE {
    dot(acc[b].lo, size, flip(w + b * panel, mask));
    dot(acc[b].hi, size, flip(w + b * panel + 32, mask));
  });
}

// acc = the products of rows m .. m + kR - 1 and kB blocks of columns from n.
template <Prefetch kPrefetch, int kR, int kB>
MBRT_INLINE inline void multiply(const Split& g, std::size_t m, std::size_t n,
                                 i32x16 (&acc)[kR][kB]) {
  unroll<kR>([&](auto r) MBRT_INLINE {
    unroll<kB>([&](auto b) MBRT_INLINE { acc[r][b] = broadcast_i32(g.start[m + r]); });
  });
  const std::size_t row = 2 * g.k;
  const std::uint8_t* a = g.split + m * row;
  const std::uint8_t* const end = a + row;
  const std::int8_t* w = g.w + n * g.k;
  const std::size_t panel = g.k * 16;
  const auto* next = reinterpret_cast<const char*>(w) + kB * panel;
  const std::size_t ahead = g.ahead;
  for (; a != end; a += 8, w += 64, next += kB * 64) {
    unroll<kB>([&](auto b) MBRT_INLINE { fetch<kPrefetch>(next + b * 64, ahead); });
    unroll<kR>([&](auto r) MBRT_INLINE { dot_row(acc[r], a + r * row, w, panel); });
  }
}

struct Tile {
  using Gemm = Split;
  static constexpr int kRows = 6;
  static constexpr int kUnit = 16;
  static constexpr int units(int rows) { return rows <= 3 ? 2 : 1; }

  template <int kR, int kB>
  static void run(const Split& g, std::size_t m, std::size_t n) {
    i32x16 acc[kR][kB];
    with_prefetch<Tile, kR>(g, m, [&](auto prefetch) MBRT_INLINE {
      multiply<decltype(prefetch)::value>(g, m, n, acc);
    });
    store_tile(g, m, n, acc);
  }
};

// A product of non-negative bytes, as attention weights are: no split and no mask, and pairs fit 16
// bits. 16 rows take 0.52 of the time at N = 16, K = 128, and 0.64 at N = 32.
struct NonNegativeTile : TileShape<GemmS8, 6, 16> {
  template <int kR, int kB>
  static void run(const GemmS8& g, std::size_t m, std::size_t n) {
    i32x16 acc[kR][kB];
    unroll<kR>([&](auto r) MBRT_INLINE { acc[r][0] = broadcast_i32(0); });
    const std::uint8_t* a = g.a + m * g.a_stride;
    const std::int8_t* w = g.w + n * g.k;
    for (const std::uint8_t* const end = a + g.k; a != end; a += 4, w += 64) {
      unroll<kR>([&](auto r) MBRT_INLINE {
        const __m256i four = broadcast_four(a + r * g.a_stride);
        add_pairs(acc[r][0].lo, products_of_pairs(four, w));
        add_pairs(acc[r][0].hi, products_of_pairs(four, w + 32));
      });
    }
    store_as<Epilogue::kProduct>(g, m, n, acc);
  }
};

// Up to this many rows, tiles of 6 rows are faster: they read the weights, which are not in L1,
// fewer times (16 rows: 3 to 6 % less time than with 3 x 32). Above, 3 x 32 has the faster loop (128
// rows: 4 to 8 % less time), and also for the products of attention, whose keys are in cache (16
// rows: 5 to 8 % less).
constexpr std::size_t kFewRows = 16;

// Split activations are processed in parts of this size: 64 rows of K = 512, or one row of max K.
constexpr std::size_t kSplitBytes = 2 * kMaxKS8;
constexpr std::size_t kSplitRows = kSplitBytes / (2 * 16);  // at the smallest K, 16

// Splits one row of k bytes into 2 k; returns the start value of its sums: sum_{q < 0} |q|.
std::int32_t split_row(const std::uint8_t* a, std::size_t k, std::uint8_t* to) {
  const __m128i zero = _mm_setzero_si128();
  __m128i sum = zero;
  for (const std::uint8_t* const end = a + k; a != end; a += 16, to += 32) {
    const __m128i q = _mm_loadu_si128(reinterpret_cast<const __m128i*>(a));
    const __m128i mask = _mm_cmpgt_epi8(zero, q);
    const __m128i size = _mm_abs_epi8(q);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), _mm_unpacklo_epi32(mask, size));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 16), _mm_unpackhi_epi32(mask, size));
    sum = _mm_add_epi64(sum, _mm_sad_epu8(_mm_and_si128(mask, size), zero));
  }
  return _mm_cvtsi128_si32(_mm_add_epi64(sum, _mm_unpackhi_epi64(sum, sum)));
}

}  // namespace

void gemm_s8(const GemmS8& g) {
  if (g.non_negative) return run_tiles<NonNegativeTile>(g);
  alignas(64) std::uint8_t split[kSplitBytes];
  std::int32_t start[kSplitRows];
  const std::size_t max_rows = g.m > kFewRows || g.epilogue == Epilogue::kProduct ? 3 : Tile::kRows;
  const EvenSplit parts(g.m, kSplitBytes / (2 * g.k));
  for (std::size_t i = 0, first = 0; i < parts.pieces(); ++i) {
    const GemmS8 part = rows_of(g, first, parts.size(i));
    for (std::size_t m = 0; m < part.m; ++m) {
      start[m] = split_row(part.a + m * part.a_stride, g.k, split + m * 2 * g.k);
    }
    run_tiles<Tile>(Split{part, split, start}, max_rows);
    first += part.m;
  }
}

std::size_t peak_s8(std::size_t iterations) {
  const __m256i mask = _mm256_set1_epi32(static_cast<int>(iterations));
  const __m256i size = _mm256_abs_epi8(mask);
  const auto step = [=](__v8si acc) {
    dot(acc, size, _mm256_xor_si256(raw(acc), mask));  // varying weights keep it in the loop
    return acc;
  };
  return run_peak<12>(iterations, 32, lanes(mask), step);
}

}  // namespace mbrt::MBRT_TARGET
