// gemm_s8_4x16_wasm_relaxed_dot: four rows times 16 columns of int8 weights, exact int32 sums, by
// i32x4.relaxed_dot_i8x16_i7x16_add_s: one instruction on ARM (sdot) and x86 with AVX-VNNI.
//
// Its second operand must have seven bits: here |w|, which is 0 .. 127. The first is q ^ mask, where mask
// is 0xFF for a negative weight. As q ^ 0xFF = -q - 1,
//
//   sum_k (q ^ mask) |w| = sum_k q w - sum_{w < 0} |w|
//
// The last sum is the same for all rows: the accumulators of a column start at it. Nothing depends on the
// implementation: no eighth bit is set in the second operand, and two products are at most
// 2 * 128 * 127 < 2^15, so a sum in 16 bits does not saturate.
//
// Weights n16k4: a 64-byte row is four vectors of four columns x four k. The 16 columns are two passes
// of eight: 8 accumulators, 4 activations, |w| and mask of the 16 registers of x86.
//
// Four steps of k per iteration: V8 stores six of the accumulators to the stack at the end of each.
//
// Measured: the default model, 32 / 128 tokens, 3.87 / 17.0 ms; with gemm_s8_4x16_wasm_relaxed 4.99 / 22.8
// (Sapphire Rapids, which has AVX-VNNI, Node 24.22, 2026-11-29, interleaved medians); with the shift of bytes
// for the mask and one step per iteration 6.46 / 29.0. Where V8 does not use AVX-VNNI (its option
// --no-enable-avx-vnni) a product is three instructions: 6.91 / 30.5 against 5.08 / 22.2; is_fast tells.
#include <cstddef>
#include <cstdint>

#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/gemm_s8/wasm_rows.h"
#include "kernels/gemm_tile.h"
#include "kernels/peak.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {
namespace {

// A product of 16 columns with the start values of their sums.
struct Started : GemmS8 {
  const std::int32_t* start;
};

template <int kR>
MBRT_INLINE inline void multiply(const Started& g, std::size_t m, const std::int8_t* w,
                                 const std::int32_t* start, v128_t (&acc)[kR][2]) {
  unroll<2>([&](auto quad) MBRT_INLINE {
    const v128_t first = wasm_v128_load(start + quad * 4);
    unroll<kR>([&](auto r) MBRT_INLINE { acc[r][quad] = first; });
  });
  const std::uint8_t* a = g.a + m * g.a_stride;
  // Zeros, which clang does not know: for a comparison with a constant 0 it writes a shift of bytes, which
  // is five instructions of x86.
  const v128_t zero = wasm_i8x16_splat(static_cast<std::int8_t>(g.k % 16));
  for (const std::uint8_t* const end = a + g.k; a != end; a += 16, w += 256) {
    unroll<4>([&](auto step) MBRT_INLINE {
      v128_t four[kR];
      unroll<kR>([&](auto r) MBRT_INLINE {
        four[r] = wasm_v128_load32_splat(a + r * g.a_stride + step * 4);
      });
      unroll<2>([&](auto quad) MBRT_INLINE {
        const v128_t weights = wasm_v128_load(w + step * 64 + quad * 16);
        const v128_t mask = wasm_i8x16_lt(weights, zero);
        const v128_t size = wasm_i8x16_abs(weights);
        unroll<kR>([&](auto r) MBRT_INLINE {
          acc[r][quad] = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(wasm_v128_xor(four[r], mask), size,
                                                                acc[r][quad]);
        });
      });
    });
  }
}

struct Tile : TileShape<Started, 4, 16> {
  template <int kR, int>
  static void run(const Started& g, std::size_t m, std::size_t n) {
    const std::int8_t* w = g.w + n * g.k;
    v128_t low[kR][2], high[kR][2];
    multiply<kR>(g, m, w, g.start, low);
    multiply<kR>(g, m, w + 32, g.start + 8, high);
    i32x16 sums[kR];
    unroll<kR>([&](auto r)
                   MBRT_INLINE { sums[r] = {low[r][0], low[r][1], high[r][0], high[r][1]}; });
    store_rows(g, m, n, sums, kR);
  }
};

// sum_{w < 0} |w| of 16 columns.
void find_start(const std::int8_t* w, std::size_t k, std::int32_t* start) {
  const v128_t minus_one = wasm_i8x16_const_splat(-1);
  v128_t acc[4] = {};
  for (const std::int8_t* const end = w + 16 * k; w != end; w += 64) {
    unroll<4>([&](auto quad) MBRT_INLINE {
      const v128_t negative =
          wasm_i8x16_min(wasm_v128_load(w + quad * 16), wasm_i8x16_const_splat(0));
      acc[quad] =
          wasm_i32x4_relaxed_dot_i8x16_i7x16_add(minus_one, wasm_i8x16_neg(negative), acc[quad]);
    });
  }
  unroll<4>([&](auto quad)
                MBRT_INLINE { wasm_v128_store(start + quad * 4, wasm_i32x4_neg(acc[quad])); });
}

// Columns n .. n + 15.
GemmS8 columns_from(const GemmS8& g, std::size_t n) {
  GemmS8 part = g;
  part.n = 16;
  part.w += n * g.k;
  part.w_scale += n;
  part.out += n;
  if (g.epilogue != Epilogue::kProduct) {
    part.w_sum += n;
    part.bias += n;
  }
  if (g.epilogue == Epilogue::kResidual) {
    part.residual += n;
    part.residual_scale += n;
  }
  return part;
}

}  // namespace

void gemm_s8(const GemmS8& g) {
  for (std::size_t n = 0; n < g.n; n += 16) {
    const GemmS8 part = columns_from(g, n);
    alignas(16) std::int32_t start[16];
    find_start(part.w, g.k, start);
    run_tiles<Tile>(Started{part, start});
  }
}

// Whether a product has the exact sums: V8 of Node 20, where relaxed SIMD is behind a flag, computes other
// ones in code of its baseline compiler. Each run of a new instance begins in such code.
bool is_exact() {
  constexpr std::size_t kRows = 4, kColumns = 16, kK = 32;
  std::uint8_t a[kRows * kK];
  alignas(64) std::int8_t w[kColumns * kK];
  float ones[kColumns], out[kRows * kColumns];
  for (std::size_t i = 0; i < sizeof a; ++i) a[i] = static_cast<std::uint8_t>(i * 37);
  for (std::size_t i = 0; i < sizeof w; ++i) {
    w[i] = static_cast<std::int8_t>(static_cast<int>(i * 41 % 255) - 127);
  }
  for (float& one : ones) one = 1.0f;
  GemmS8 g{.epilogue = Epilogue::kProduct,
           .m = kRows,
           .n = kColumns,
           .k = kK,
           .a = a,
           .a_stride = kK,
           .w = w,
           .compensation = nullptr,
           .w_scale = ones,
           .out = out,
           .out_stride = kColumns};
  gemm_s8(g);
  for (std::size_t i = 0; i < kRows * kColumns; ++i) {
    const std::size_t row = i / kColumns, column = i % kColumns;
    std::int32_t sum = 0;
    for (std::size_t k = 0; k < kK; ++k) {
      sum += static_cast<std::int8_t>(a[row * kK + k]) * w[(k / 4 * 16 + column) * 4 + k % 4];
    }
    if (out[i] != static_cast<float>(sum)) return false;
  }
  return true;
}

// Whether a product is one instruction. x86 without one adds two products in 16 bits (pmaddubsw): with the
// eighth bit set they saturate, and the sum is 2 * 32767. vpdpbusd gives 4 * 127 * 255, sdot 4 * 127 * -1.
bool is_fast() {
  volatile std::int8_t a = 127, b = -1;
  const v128_t sums = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(
      wasm_i8x16_splat(a), wasm_i8x16_splat(b), wasm_i32x4_const_splat(0));
  return wasm_i32x4_extract_lane(sums, 0) != 2 * INT16_MAX;
}

std::size_t peak_s8(std::size_t iterations) {
  const v128_t a = wasm_i8x16_splat(static_cast<std::int8_t>(iterations % 127));
  const auto step = [a](v128_t acc) {
    return wasm_i32x4_relaxed_dot_i8x16_i7x16_add(wasm_v128_xor(acc, a), a, acc);
  };
  return run_peak<8>(iterations, 16, wasm_i32x4_splat(1), step);
}

}  // namespace mbrt::MBRT_TARGET
