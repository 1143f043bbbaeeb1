// gemm_s8_8x48_avx512vnni: eight rows times 48 columns of int8 weights by vpdpbusd, exact int32
// sums.
//
//   acc[m][n] = compensation[n] + sum_k (q[m][k] + 128) * w[k][n]     compensation = -128 * sum_k w
//
// Weights n16k4: one 64-byte row is 16 columns x 4 k, read once per k step and used by all eight
// rows. Registers: 24 accumulators (8 x 3 zmm), 3 weights, 1 broadcast of four activations; 4 free.
// A step is 24 vpdpbusd to 11 loads. Exact for every input: vpdpbusd adds four unsigned x signed
// products without saturation, and the sum modulo 2^32 is the sum.
//
// Measured, 8 rows and more, operands in cache: on Zen 4 (one vpdpbusd per cycle) 94 - 97 % of its
// peak at K = 384 and 512, 80 - 90 % at K = 128. The epilogue needs three or four multiplications
// per 16 outputs on the same pipes, which limits it to 97 % at K = 512 and 90 % at K = 128.
//
// The first row tile prefetches to L2, `ahead` bytes after the next column tile: the layers of a
// model are stored in the order they are used, so this reaches into the next layer. 24 layers of
// int8 weights from memory: 12 % less time at 8 rows, 10 % at 16, the same at 128 (Cascade Lake). A
// single row tile also prefetches the next column tile to L1: 4 % less time at 1 to 8 rows (Zen 4).
// With more row tiles that costs 10 % (Cascade Lake): two tiles of K = 512 do not fit in L1.
// Tried and dropped on Zen 4: 12x32, 6x64, 16x16; 8x32 is as fast.
#include <cstddef>
#include <cstdint>

#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/gemm_tile.h"
#include "kernels/peak.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {
namespace {

// acc += four . w: in each of the 16 lanes a dot product of four unsigned and four signed bytes.
MBRT_INLINE inline void dot(i32x16& acc, __m512i four, __m512i w) {
  acc = lanes(_mm512_dpbusd_epi32(raw(acc), four, w));
}

template <int kB>
MBRT_INLINE inline void dot_row(i32x16 (&acc)[kB], const std::uint8_t* a, const __m512i (&w)[kB]) {
  std::int32_t bytes;
  __builtin_memcpy(&bytes, a, sizeof bytes);
  const __m512i four = _mm512_set1_epi32(bytes);
  unroll<kB>([&](auto b) MBRT_INLINE { dot(acc[b], four, w[b]); });
}

// acc = compensation + the products of rows m .. m + kR - 1 and kB blocks of columns from n.
template <Prefetch kPrefetch, int kR, int kB>
MBRT_INLINE inline void multiply(const GemmS8& g, std::size_t m, std::size_t n,
                                 i32x16 (&acc)[kR][kB]) {
  unroll<kR>([&](auto r) MBRT_INLINE {
    unroll<kB>([&](auto b) MBRT_INLINE { acc[r][b] = load_i32(g.compensation + n + b * 16); });
  });
  const std::uint8_t* a = g.a + m * g.a_stride;
  const std::int8_t* w = g.w + n * g.k;
  const std::size_t panel = g.k * 16;
  const auto* next = reinterpret_cast<const char*>(w) + kB * panel;
  for (std::size_t k = 0; k < g.k; k += 4, a += 4, w += 64, next += kB * 64) {
    __m512i weights[kB];
    unroll<kB>([&](auto b) MBRT_INLINE {
      weights[b] = _mm512_load_si512(w + b * panel);
      fetch<kPrefetch>(next + b * 64, g.ahead);
    });
    unroll<kR>([&](auto r) MBRT_INLINE { dot_row(acc[r], a + r * g.a_stride, weights); });
  }
}

struct Tile {
  using Gemm = GemmS8;
  static constexpr int kRows = 8;
  static constexpr int kUnit = 16;
  static constexpr int units(int) { return 3; }

  template <int kR, int kB>
  static void run(const GemmS8& g, std::size_t m, std::size_t n) {
    i32x16 acc[kR][kB];
    with_prefetch<Tile, kR>(g, m, [&](auto prefetch) MBRT_INLINE {
      multiply<decltype(prefetch)::value>(g, m, n, acc);
    });
    store_tile(g, m, n, acc);
  }
};

}  // namespace

void gemm_s8(const GemmS8& g) { run_tiles<Tile>(g); }

std::size_t peak_s8(std::size_t iterations) {
  const __m512i a = _mm512_set1_epi32(static_cast<int>(iterations));
  const auto step = [a](i32x16 acc) {
    dot(acc, a, a);
    return acc;
  };
  return run_peak<24>(iterations, 64, lanes(a), step);
}

}  // namespace mbrt::MBRT_TARGET
