// What the gemm_s8 by i32x4.relaxed_dot_i8x16_i7x16_add_s share: four rows times 16 columns of int8 weights, exact
// int32 sums.
//
// The instruction adds four products of bytes to each of four lanes. Its first operand is signed; of the second, the
// specification defines seven bits, and a byte with the eighth bit set is read as the CPU's own instruction reads it.
// Two readings give exact products, so each has a kernel and a probe (is_exact), and at most one of them runs:
//
//   unsigned   vpdpbusd of x86 with AVX-VNNI: the bytes are q + 128, sums start at the compensation (x86_vnni.h)
//   signed     sdot of ARM: the bytes are q, sums start at 0
//
// The rest, two products added in 16 bits with saturation, is neither. An engine reads all instructions of a program
// in the same way, as the specification demands; V8 of Node 20, where they are behind a flag, does not, and the probe
// refuses it.
//
// Weights n16k4: a 64-byte row is four vectors of four columns x four k, the first operand. The 16 columns are two
// passes of eight: 8 accumulators, 4 activations, 1 weights of the 16 registers of x86.
//
// Measured: the default model, 32 / 128 tokens, 4.83 / 15.0 ms; with gemm_s8_4x16_wasm_relaxed 9.31 / 26.9 (Sapphire
// Rapids, which has AVX-VNNI, Node 24.22, 2026-11-29, medians of one interleaved run). Tried: four steps of k per
// iteration, for which V8 stores accumulators to the stack (19.2 against 15.9); one pass of 3 x 16 (the same time). And
// the seven bits that the specification defines: |w|, with the activations inverted where w is negative, is exact on
// every CPU, but an exclusive or per product and the sizes and signs of the weights make it 1.5 times as long.
#ifndef MBRT_KERNELS_GEMM_S8_WASM_RELAXED_DOT_H_
#define MBRT_KERNELS_GEMM_S8_WASM_RELAXED_DOT_H_

#include <cstddef>
#include <cstdint>

#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/gemm_s8/wasm_rows.h"
#include "kernels/gemm_tile.h"
#include "kernels/peak.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {

enum class Bytes { kSigned, kUnsigned };

constexpr int kQuads = 2;  // vectors of four columns per pass

template <Bytes kBytes, int kR>
MBRT_INLINE inline void multiply(const GemmS8& g, std::size_t m, std::size_t n,
                                 v128_t (&acc)[kR][kQuads]) {
  unroll<kQuads>([&](auto quad) MBRT_INLINE {
    const v128_t first = kBytes == Bytes::kUnsigned ? wasm_v128_load(g.compensation + n + quad * 4)
                                                    : wasm_i32x4_const_splat(0);
    unroll<kR>([&](auto r) MBRT_INLINE { acc[r][quad] = first; });
  });
  const std::uint8_t* a = g.a + m * g.a_stride;
  const std::int8_t* w = g.w + n / 16 * 16 * g.k + n % 16 * 4;
  for (const std::uint8_t* const end = a + g.k; a != end; a += 4, w += 64) {
    v128_t four[kR];
    unroll<kR>([&](auto r) MBRT_INLINE { four[r] = wasm_v128_load32_splat(a + r * g.a_stride); });
    unroll<kQuads>([&](auto quad) MBRT_INLINE {
      const v128_t weights = wasm_v128_load(w + quad * 16);
      unroll<kR>([&](auto r) MBRT_INLINE {
        acc[r][quad] = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(weights, four[r], acc[r][quad]);
      });
    });
  }
}

template <Bytes kBytes>
struct DotTile : TileShape<GemmS8, 4, 16> {
  template <int kR, int>
  static void run(const GemmS8& g, std::size_t m, std::size_t n) {
    v128_t low[kR][kQuads], high[kR][kQuads];
    multiply<kBytes, kR>(g, m, n, low);
    multiply<kBytes, kR>(g, m, n + 8, high);
    i32x16 sums[kR];
    unroll<kR>([&](auto r)
                   MBRT_INLINE { sums[r] = {low[r][0], low[r][1], high[r][0], high[r][1]}; });
    store_rows(g, m, n, sums, kR);
  }
};

// Whether the kernel, which takes the bytes offset + q, has exact sums. The rows have every byte; the first row times the
// first column has the largest products only, which an addition in 16 bits would saturate.
inline bool has_exact_sums(void (*gemm)(const GemmS8&), int offset) {
  constexpr std::size_t kRows = 4, kColumns = 16, kK = 256;
  static std::uint8_t a[kRows * kK];
  alignas(64) static std::int8_t w[kColumns * kK];
  const auto q = [](std::size_t row, std::size_t k) {
    return row == 0 ? 127 : static_cast<int>((row * kK + k) * 37 % 256) - 128;
  };
  const auto weight = [](std::size_t column, std::size_t k) {
    return column == 0 ? 127 : static_cast<int>((column * kK + k) * 41 % 255) - 127;
  };
  std::int32_t compensation[kColumns] = {};
  float ones[kColumns], out[kRows * kColumns];
  for (float& one : ones) one = 1.0f;
  for (std::size_t k = 0; k < kK; ++k) {
    for (std::size_t row = 0; row < kRows; ++row) {
      a[row * kK + k] = static_cast<std::uint8_t>(q(row, k) + offset);
    }
    for (std::size_t column = 0; column < kColumns; ++column) {
      w[(k / 4 * 16 + column) * 4 + k % 4] = static_cast<std::int8_t>(weight(column, k));
      compensation[column] -= offset * weight(column, k);
    }
  }
  gemm(GemmS8{.epilogue = Epilogue::kProduct,
              .m = kRows,
              .n = kColumns,
              .k = kK,
              .a = a,
              .a_stride = kK,
              .w = w,
              .compensation = compensation,
              .w_scale = ones,
              .out = out,
              .out_stride = kColumns});
  for (std::size_t row = 0; row < kRows; ++row) {
    for (std::size_t column = 0; column < kColumns; ++column) {
      std::int32_t sum = 0;
      for (std::size_t k = 0; k < kK; ++k) sum += q(row, k) * weight(column, k);
      if (out[row * kColumns + column] != static_cast<float>(sum)) return false;
    }
  }
  return true;
}

inline std::size_t peak_relaxed_dot(std::size_t iterations) {
  const v128_t a = wasm_i8x16_splat(static_cast<std::int8_t>(iterations % 127));
  const auto step = [a](v128_t acc) { return wasm_i32x4_relaxed_dot_i8x16_i7x16_add(a, a, acc); };
  return run_peak<12>(iterations, 16, wasm_i32x4_splat(1), step);
}

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_KERNELS_GEMM_S8_WASM_RELAXED_DOT_H_
