// gemm_s8_8x8_dotprod: eight rows times eight columns of int8 weights, exact int32 sums.
//
//   acc[m][n] = sum_k q[m][k] * w[k][n]        sdot by lane: four k of four columns by four k of
//                                              one row, 16 products an instruction
//
// Weights n16k4: a quarter of a 64-byte row is one operand of sdot, as stored in the file.
// Activations are read in place, 16 k of a row at a time; each of the four lanes is one step.
// Registers: 16 accumulators (8 rows x 2 quads), 8 activations, 2 to 4 weights; 4 free.
// Exact for every input: nothing saturates, |acc| <= 32,768 * 128 * 127 < 2^31.
//
// Modelled (llvm-mca 19, no hardware), share of the peak of sdot: the loop of eight rows, 80
// instructions for 64 sdot, reaches 100 % on Neoverse N1 (two sdot per cycle) and V2 (four), and
// 76 % on Cortex-A55 (one), where every 128-bit load takes the cycle of an sdot. The whole kernel
// for 32 rows on N1: 94 % at K = 512, 81 to 84 % at K = 128.
// Tried and dropped: the loop of eight rows in C++ (68 % on A55 with GCC 12, 59 % with clang 19);
// one ldp for the weights of the first step as well (72 % on A55: the first sdot waits for both);
// 4x16 (20 loads for 64 sdot instead of 16; GCC 12 spills: 91 %), 5x16 (85 %), 6x12 (94 %).
#include <cstddef>
#include <cstdint>

#include "kernels/arm_quads.h"
#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/gemm_tile.h"
#include "kernels/peak.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {
namespace {

constexpr int kMaxRows = 8;

// Adds step `lane` to the sums of row r, a left and a right quad of columns. row, left, right: the
// numbers of the registers with 16 k of the row, and with the weights of the two quads.
#define MBRT_DOT(r, row, left, right, lane)                 \
  "sdot %[l" #r "].4s, v" #left ".16b, v" #row ".4b[" #lane \
  "]\n\t"                                                   \
  "sdot %[r" #r "].4s, v" #right ".16b, v" #row ".4b[" #lane "]\n\t"
#define MBRT_ROWS_0_TO_1(left, right, lane) \
  MBRT_DOT(0, 16, left, right, lane) MBRT_DOT(1, 17, left, right, lane)
#define MBRT_ROWS_2_TO_4(left, right, lane) \
  MBRT_DOT(2, 18, left, right, lane)        \
  MBRT_DOT(3, 19, left, right, lane) MBRT_DOT(4, 20, left, right, lane)
#define MBRT_ROWS_5_TO_7(left, right, lane) \
  MBRT_DOT(5, 21, left, right, lane)        \
  MBRT_DOT(6, 22, left, right, lane) MBRT_DOT(7, 23, left, right, lane)

// The sums of eight rows, from kStart, over k >= 16. In assembly for in-order cores: a compiler
// groups the loads, which then wait for each other.
//
//   x9 .. x16   addresses of the eight rows    v16 .. v23   16 k of each row
//   w           address of the weights         v24, v25     weights of even steps
//                                              v26, v27     weights of odd steps
// Half of the start values are loaded and half are copied, because other pipes do the copies at the
// same time. Three rows are loaded before the first step, the others one at a time between the
// products of the rows before; the weights of a step are loaded after row 4 of the previous step.
template <int kStart>
MBRT_INLINE inline void sum_eight(const std::int8_t* a, std::size_t a_stride, const std::int8_t* w,
                                  std::size_t k, int32x4_t (&acc)[kMaxRows][kTileQuads]) {
  constexpr std::int32_t kOne = kStarts[kStart];
  alignas(32) static constexpr std::int32_t kEight[8] = {kOne, kOne, kOne, kOne,
                                                         kOne, kOne, kOne, kOne};
  const std::int8_t* const end = w + k * 16;
  asm("mov x9, %[a]\n\t"
      "add x10, x9, %[stride]\n\t"
      "add x11, x10, %[stride]\n\t"
      "add x12, x11, %[stride]\n\t"
      "add x13, x12, %[stride]\n\t"
      "add x14, x13, %[stride]\n\t"
      "add x15, x14, %[stride]\n\t"
      "add x16, x15, %[stride]\n\t"
      "ldp %q[l0], %q[r0], [%[starts]]\n\t"
      "ldp %q[l1], %q[r1], [%[starts]]\n\t"
      "ldp %q[l2], %q[r2], [%[starts]]\n\t"
      "ldp %q[l3], %q[r3], [%[starts]]\n\t"
      "mov %[l4].16b, %[l0].16b\n\t"
      "mov %[r4].16b, %[l0].16b\n\t"
      "mov %[l5].16b, %[l0].16b\n\t"
      "mov %[r5].16b, %[l0].16b\n\t"
      "mov %[l6].16b, %[l0].16b\n\t"
      "mov %[r6].16b, %[l0].16b\n\t"
      "mov %[l7].16b, %[l0].16b\n\t"
      "mov %[r7].16b, %[l0].16b\n\t"
      "0:\n\t"
      "ldr q24, [%[w]]\n\t"
      "ldr q25, [%[w], #16]\n\t"
      "ldr q16, [x9], #16\n\t"
      "ldr q17, [x10], #16\n\t"
      "ldr q18, [x11], #16\n\t"
      MBRT_DOT(0, 16, 24, 25, 0)
      "ldr q19, [x12], #16\n\t"
      MBRT_DOT(1, 17, 24, 25, 0)
      "ldr q20, [x13], #16\n\t"
      MBRT_DOT(2, 18, 24, 25, 0)
      "ldr q21, [x14], #16\n\t"
      MBRT_DOT(3, 19, 24, 25, 0)
      "ldr q22, [x15], #16\n\t"
      MBRT_DOT(4, 20, 24, 25, 0)
      "ldr q23, [x16], #16\n\t"
      "ldp q26, q27, [%[w], #64]\n\t"
      MBRT_ROWS_5_TO_7(24, 25, 0)
      MBRT_ROWS_0_TO_1(26, 27, 1)
      MBRT_ROWS_2_TO_4(26, 27, 1)
      "ldp q24, q25, [%[w], #128]\n\t"
      MBRT_ROWS_5_TO_7(26, 27, 1)
      MBRT_ROWS_0_TO_1(24, 25, 2)
      MBRT_ROWS_2_TO_4(24, 25, 2)
      "ldp q26, q27, [%[w], #192]\n\t"
      MBRT_ROWS_5_TO_7(24, 25, 2)
      MBRT_ROWS_0_TO_1(26, 27, 3)
      "add %[w], %[w], #256\n\t"
      "cmp %[w], %[end]\n\t"
      MBRT_ROWS_2_TO_4(26, 27, 3)
      MBRT_ROWS_5_TO_7(26, 27, 3)
      "b.ne 0b"
      : [l0] "=&w"(acc[0][0]), [r0] "=&w"(acc[0][1]), [l1] "=&w"(acc[1][0]),
        [r1] "=&w"(acc[1][1]), [l2] "=&w"(acc[2][0]), [r2] "=&w"(acc[2][1]),
        [l3] "=&w"(acc[3][0]), [r3] "=&w"(acc[3][1]), [l4] "=&w"(acc[4][0]),
        [r4] "=&w"(acc[4][1]), [l5] "=&w"(acc[5][0]), [r5] "=&w"(acc[5][1]),
        [l6] "=&w"(acc[6][0]), [r6] "=&w"(acc[6][1]), [l7] "=&w"(acc[7][0]),
        [r7] "=&w"(acc[7][1]), [w] "+&r"(w)
      : [a] "r"(a), [stride] "r"(a_stride), [end] "r"(end), [starts] "r"(kEight)
      : "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", "v16", "v17", "v18", "v19", "v20",
        "v21", "v22", "v23", "v24", "v25", "v26", "v27", "cc", "memory");
}

// The same for any number of rows, in C++.
template <int kR>
MBRT_INLINE inline void sum_rows(const std::int8_t* a, std::size_t a_stride, const std::int8_t* w,
                                 std::size_t depth, int32x4_t (&acc)[kR][kTileQuads]) {
  unroll<kR>([&](auto r) MBRT_INLINE {
    unroll<kTileQuads>([&](auto q) MBRT_INLINE { acc[r][q] = vdupq_n_s32(kAtZero); });
  });
  for (std::size_t k = 0; k < depth; k += 16) {
    pin(acc);
    int8x16_t x[kR];
    unroll<kR>([&](auto r) MBRT_INLINE { x[r] = vld1q_s8(a + r * a_stride + k); });
    unroll<4>([&](auto four) MBRT_INLINE {
      constexpr int kLane = decltype(four)::value;
      int8x16_t weights[kTileQuads];
      unroll<kTileQuads>([&](auto q)
                             MBRT_INLINE { weights[q] = vld1q_s8(w + four * 64 + q * 16); });
      unroll<kR>([&](auto r) MBRT_INLINE {
        unroll<kTileQuads>([&](auto q) MBRT_INLINE {
          acc[r][q] = vdotq_laneq_s32(acc[r][q], weights[q], x[r], kLane);
        });
      });
      pin(acc);
    });
    w += 256;
  }
}

template <Epilogue kEpilogue>
struct Tile : TileShape<GemmS8, kMaxRows, kTileColumns> {
  template <int kR, int>
  static void run(const GemmS8& g, std::size_t m, std::size_t n) {
    int32x4_t acc[kR][kTileQuads];
    if constexpr (kR == kMaxRows) {
      sum_eight<kAtZero>(rows_from(g, m), g.a_stride, columns_from(g, n), g.k, acc);
    } else {
      sum_rows(rows_from(g, m), g.a_stride, columns_from(g, n), g.k, acc);
    }
    store_tile8<kEpilogue>(g, m, n, acc);
  }
};

// For a multiple of eight rows, as almost all panels of the engine are: no function call per tile,
// and each address is the previous one plus a constant.
template <Epilogue kEpilogue, int kRows, int kStart>
__attribute__((noinline)) void full_tiles(const GemmS8& g) {
  for (std::size_t n = 0; n < g.n; n += kTileColumns) {
    const std::int8_t* a = rows_from(g, 0);
    const std::int8_t* const w = columns_from(g, n);
    GemmS8 end = g;
    advance<kEpilogue>(end, 0, n);
    for (std::size_t m = 0; m < g.m; m += kRows) {
      int32x4_t acc[kRows][kTileQuads];
      sum_eight<kStart>(a, g.a_stride, w, g.k, acc);
      store_tile8<kEpilogue, kStart>(end, 0, 0, acc);
      a += kRows * g.a_stride;
      advance<kEpilogue>(end, kRows, 0);
    }
  }
}

template <Epilogue kEpilogue>
__attribute__((noinline)) void gemm(const GemmS8& g) {
  if (g.m % kMaxRows != 0) {
    run_tiles<Tile<kEpilogue>>(g);
  } else if (g.k <= kMaxKAtRound) {
    full_tiles<kEpilogue, kMaxRows, kAtRound>(g);
  } else {
    full_tiles<kEpilogue, kMaxRows, kAtZero>(g);
  }
}

}  // namespace

void gemm_s8(const GemmS8& g) {
  with_constant(g.epilogue, [&](auto epilogue) MBRT_INLINE { gemm<epilogue.value>(g); });
}

std::size_t peak_s8(std::size_t iterations) {
  const int8x16_t a = vdupq_n_s8(static_cast<std::int8_t>(iterations));
  const auto step = [a](int32x4_t acc) { return vdotq_laneq_s32(acc, a, a, 0); };
  return run_peak<16>(iterations, 16, vdupq_n_s32(0), step);
}

}  // namespace mbrt::MBRT_TARGET
