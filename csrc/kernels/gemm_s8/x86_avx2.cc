// gemm_s8_4x16_avx2: four rows times 16 columns of int8 weights, exact int32 sums.
//
// vpmaddubsw multiplies unsigned by signed bytes and adds pairs in 16 bits, saturating: the classic
// trap. Here the unsigned side is |q| <= 128 and the signed side is sign(w, q), |w| <= 127, so a
// pair is at most 2 * 128 * 127 = 32,512 and nothing saturates. |q| * sign(w, q) = q * w exactly,
// also for q = -128.
//
// Weights n16k4: a 64-byte row is two registers of 8 columns x 4 k, and a broadcast of four
// activations meets both. Registers: 8 accumulators, 2 weights, the ones of vpmaddwd, q and |q|,
// 2 products; 1 free. (Six rows would need 18: gcc and clang then reload the weights for each row.)
// Fewer than three rows take 32 columns, which share a broadcast and its |q|.
//
// Uops for 64 products: broadcast, abs, 2 x (sign, maddubs, madd, add), half a load of weights
// = 10.5. Widening to 16 bits (vpmovsxbw, vpmaddwd, vpaddd) takes 12.7, since a register then holds
// 4 columns and only three rows of accumulators fit.
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

inline Weights load_weights(const std::int8_t* row) {
  const auto* v = reinterpret_cast<const __m256i*>(row);
  return {_mm256_load_si256(v), _mm256_load_si256(v + 1)};
}

// acc += q . w, in each of the 8 lanes four times four signed bytes; size is |q|.
MBRT_INLINE inline void dot(__v8si& acc, __m256i q, __m256i size, __m256i w) {
  const __m256i pairs = _mm256_maddubs_epi16(size, _mm256_sign_epi8(w, q));
  acc = lanes(_mm256_add_epi32(raw(acc), _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))));
}

template <int kB>
MBRT_INLINE inline void dot_row(i32x16 (&acc)[kB], const std::uint8_t* a,
                                const Weights (&weights)[kB]) {
  std::int32_t four;
  __builtin_memcpy(&four, a, sizeof four);
  const __m256i q = _mm256_set1_epi32(four);
  const __m256i size = _mm256_abs_epi8(q);
  unroll<kB>([&](auto b) MBRT_INLINE {
    dot(acc[b].lo, q, size, weights[b].lo);
    dot(acc[b].hi, q, size, weights[b].hi);
  });
}

// acc = the products of rows m .. m + kR - 1 and kB blocks of columns from n.
template <int kR, int kB>
MBRT_INLINE inline void multiply(const GemmS8& g, std::size_t m, std::size_t n,
                                 i32x16 (&acc)[kR][kB]) {
  unroll<kR>([&](auto r) MBRT_INLINE {
    unroll<kB>([&](auto b) MBRT_INLINE { acc[r][b] = broadcast_i32(0); });
  });
  const std::uint8_t* a = g.a + m * g.a_stride;
  const std::int8_t* w = g.w + n * g.k;
  const std::size_t panel = g.k * 16;
  for (std::size_t k = 0; k < g.k; k += 4, a += 4, w += 64) {
    Weights weights[kB];
    unroll<kB>([&](auto b) MBRT_INLINE { weights[b] = load_weights(w + b * panel); });
    unroll<kR>([&](auto r) MBRT_INLINE { dot_row(acc[r], a + r * g.a_stride, weights); });
  }
}

struct Tile {
  using Gemm = GemmS8;
  static constexpr int kRows = 4;
  static constexpr int kUnit = 16;
  static constexpr int units(int rows) { return rows <= 2 ? 2 : 1; }

  template <int kR, int kB>
  static void run(const GemmS8& g, std::size_t m, std::size_t n) {
    i32x16 acc[kR][kB];
    multiply(g, m, n, acc);
    store_tile(g, m, n, acc);
  }
};

}  // namespace

void gemm_s8(const GemmS8& g) { run_tiles<Tile>(g); }

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
