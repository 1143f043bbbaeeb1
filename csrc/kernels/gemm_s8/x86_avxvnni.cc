// gemm_s8_6x16_avxvnni: six rows times 16 columns of int8 weights by 256-bit vpdpbusd, exact int32
// sums.
//
//   acc[m][n] = compensation[n] + sum_k (q[m][k] + 128) * w[k][n]     compensation = -128 * sum_k w
//
// For CPUs with AVX-VNNI and no AVX-512 (Alder Lake and later). Weights n16k4: a 64-byte row is two
// registers of 8 columns x 4 k, read once for all six rows. Registers: 12 accumulators, 2 weights,
// 1 broadcast of four activations; 1 free. Twelve are enough for two multipliers of latency 5.
// Exact for every input: vpdpbusd adds four unsigned x signed products without saturation, and the
// sum modulo 2^32 is the sum.
//
// Prefetches as the AVX2 and AVX-512 kernels do. Not measured.
#include <cstddef>
#include <cstdint>

#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/gemm_tile.h"
#include "kernels/peak.h"
#include "simd/simd.h"

// A test for CPUs without the instruction compiles this file with an exact emulation of it.
#ifndef MBRT_DPBUSD
#define MBRT_DPBUSD _mm256_dpbusd_avx_epi32
#endif

namespace mbrt::MBRT_TARGET {
namespace {

// acc += four . w: in each of the 8 lanes a dot product of four unsigned and four signed bytes.
MBRT_INLINE inline void dot(__v8si& acc, __m256i four, __m256i w) {
  acc = lanes(MBRT_DPBUSD(raw(acc), four, w));
}

// acc = compensation + the products of rows m .. m + kR - 1 and columns n .. n + 15.
template <Prefetch kPrefetch, int kR>
MBRT_INLINE inline void multiply(const GemmS8& g, std::size_t m, std::size_t n,
                                 i32x16 (&acc)[kR][1]) {
  unroll<kR>([&](auto r) MBRT_INLINE { acc[r][0] = load_i32(g.compensation + n); });
  const std::uint8_t* a = g.a + m * g.a_stride;
  const auto* w = reinterpret_cast<const __m256i*>(g.w + n * g.k);
  const auto* next = reinterpret_cast<const char*>(w) + g.k * 16;
  for (std::size_t k = 0; k < g.k; k += 4, a += 4, w += 2, next += 64) {
    fetch<kPrefetch>(next, g.ahead);
    const __m256i lo = _mm256_load_si256(w);
    const __m256i hi = _mm256_load_si256(w + 1);
    unroll<kR>([&](auto r) MBRT_INLINE {
      std::int32_t bytes;
      __builtin_memcpy(&bytes, a + r * g.a_stride, sizeof bytes);
      const __m256i four = _mm256_set1_epi32(bytes);
      dot(acc[r][0].lo, four, lo);
      dot(acc[r][0].hi, four, hi);
    });
  }
}

struct Tile {
  using Gemm = GemmS8;
  static constexpr int kRows = 6;
  static constexpr int kUnit = 16;
  static constexpr int units(int) { return 1; }

  template <int kR, int>
  static void run(const GemmS8& g, std::size_t m, std::size_t n) {
    i32x16 acc[kR][1];
    with_prefetch<Tile, kR>(g, m, [&](auto prefetch) MBRT_INLINE {
      multiply<decltype(prefetch)::value>(g, m, n, acc);
    });
    store_tile(g, m, n, acc);
  }
};

}  // namespace

void gemm_s8(const GemmS8& g) { run_tiles<Tile>(g); }

std::size_t peak_s8(std::size_t iterations) {
  const __m256i a = _mm256_set1_epi32(static_cast<int>(iterations));
  const auto step = [a](__v8si acc) {
    dot(acc, a, a);
    return acc;
  };
  return run_peak<12>(iterations, 32, lanes(a), step);
}

}  // namespace mbrt::MBRT_TARGET
