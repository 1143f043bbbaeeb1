// The epilogues of a tile on ARM, as in gemm_tile.h, for eight columns (half a block).
//
// ARM tiles have eight columns because 8x8 has as many accumulators as 4x16 but takes 16 loads for
// 64 products instead of 20, and GCC 12 spills with 4x16.
#ifndef MBRT_KERNELS_ARM_QUADS_H_
#define MBRT_KERNELS_ARM_QUADS_H_

#include <cstddef>
#include <cstdint>

#include "base/lanes.h"
#include "kernels/gemm_tile.h"

namespace mbrt::MBRT_TARGET {

inline constexpr int kTileColumns = 8;
inline constexpr int kTileQuads = kTileColumns / 4;

using Quads = float32x4_t[kTileQuads];  // eight columns of a row

MBRT_INLINE inline void load_quads(Quads& to, const float* from) {
  unroll<kTileQuads>([&](auto q) MBRT_INLINE { to[q] = vld1q_f32(from + q * 4); });
}
MBRT_INLINE inline void store_quads(float* to, const Quads& from) {
  unroll<kTileQuads>([&](auto q) MBRT_INLINE { vst1q_f32(to + q * 4, from[q]); });
}

// The addresses of row m and column n of the int8 operands.
inline const std::int8_t* rows_from(const GemmS8& g, std::size_t m) {
  return reinterpret_cast<const std::int8_t*>(g.a) + m * g.a_stride;
}
inline const std::int8_t* columns_from(const GemmS8& g, std::size_t n) {
  return g.w + n / kLanes * kLanes * g.k + n % kLanes * 4;
}

// Moves the arrays of g that the epilogue reads by m rows and n columns.
template <Epilogue kEpilogue>
MBRT_INLINE inline void advance(GemmS8& g, std::size_t m, std::size_t n) {
  g.w_scale += n;
  if constexpr (kEpilogue != Epilogue::kProduct) {
    g.a_scale += m;
    g.a_shift += m;
    g.w_sum += n;
    g.bias += n;
  }
  if constexpr (kEpilogue == Epilogue::kResidual) {
    g.residual += m * g.residual_stride + n;
    g.residual_scale += n;
  }
  g.out += m * g.out_stride + n;
}

// Start values of int32 sums. Up to K = 256 the absolute value of a sum is at most 2^22. A sum that
// starts at the bits of 1.5 * 2^23 ends as the bits of the float 1.5 * 2^23 + sum; one subtraction
// then gives the sum as a float. It is exact, and cheaper than a conversion, which Neoverse N1 does
// on one pipe only, at half the rate.
inline constexpr int kAtZero = 0;
inline constexpr int kAtRound = 1;
inline constexpr std::int32_t kStarts[2] = {0, 0x4B400000};
inline constexpr std::size_t kMaxKAtRound = 256;

// A sum as float.
template <int kStart>
MBRT_INLINE inline float32x4_t float_of_sum(int32x4_t sum) {
  if constexpr (kStart == kAtZero) return vcvtq_f32_s32(sum);
  return vsubq_f32(vreinterpretq_f32_s32(sum), vdupq_n_f32(12582912.0f));
}

// One float for each row of a tile. Four of them are one load, and their lanes are operands; the
// remaining ones (on 32-bit ARM: all) are loaded one at a time.
template <int kR>
class RowFactors {
 public:
  MBRT_INLINE explicit RowFactors(const float* rows) : rows_(rows) {
    unroll<kR / 4>([&](auto four) MBRT_INLINE { four_[four] = vld1q_f32(rows + four * 4); });
  }

  // x * factor of the row.
  template <typename Row>
  MBRT_INLINE float32x4_t times(float32x4_t x, Row row) const {
#ifdef __aarch64__
    if constexpr (row < kR / 4 * 4) return vmulq_laneq_f32(x, four_[row / 4], row % 4);
#endif
    return vmulq_n_f32(x, rows_[row]);
  }
  // fma(x, factor of the row, sum)
  template <typename Row>
  MBRT_INLINE float32x4_t add_times(float32x4_t sum, float32x4_t x, Row row) const {
#ifdef __aarch64__
    if constexpr (row < kR / 4 * 4) return vfmaq_laneq_f32(sum, x, four_[row / 4], row % 4);
#endif
    return vfmaq_f32(sum, x, vdupq_n_f32(rows_[row]));
  }

 private:
  const float* rows_;
  float32x4_t four_[kR / 4 + 1];
};

// Forces the sums into registers, between the steps of a k loop. Without it GCC 12 moves sums from
// register to register (up to 12 moves for 64 products) and places loads where an in-order core
// waits for them. Up to four rows there are enough registers without it.
template <int kR, typename Sum>
MBRT_INLINE inline void pin([[maybe_unused]] Sum (&acc)[kR][kTileQuads]) {
#ifndef __clang__
  if constexpr (kR > 4) {
    unroll<kR>([&](auto r) MBRT_INLINE { asm("" : "+w"(acc[r][0]), "+w"(acc[r][1])); });
  }
#endif
}

// Moves to the next row. The asm stops GCC 12 from keeping an address for each row of a tile, which
// it would spill and load again for every tile.
template <typename T>
MBRT_INLINE inline void next_row(T*& row, std::size_t stride) {
  row += stride;
  asm("" : "+r"(row));
}

// From x (the sum with its bias) to y, row by row. Members of the GEMM are copied first, here and
// below: otherwise a compiler must assume that a store changes them, and loads them again for every
// row.
template <Epilogue kEpilogue, typename Gemm>
class Finish {
 public:
  Finish(const Gemm& g, std::size_t m, std::size_t n) {
    if constexpr (kEpilogue == Epilogue::kResidual) {
      residual_ = g.residual + m * g.residual_stride + n;
      stride_ = g.residual_stride;
      load_quads(scale_, g.residual_scale + n);
    }
  }

  MBRT_INLINE void operator()(Quads& x) {
    unroll<kTileQuads>([&](auto q) MBRT_INLINE {
      if constexpr (kEpilogue == Epilogue::kRelu) x[q] = max_number4(x[q], vdupq_n_f32(0.0f));
      if constexpr (kEpilogue == Epilogue::kResidual) {
        x[q] = vfmaq_f32(x[q], vld1q_f32(residual_ + q * 4), scale_[q]);
      }
    });
    if constexpr (kEpilogue == Epilogue::kResidual) next_row(residual_, stride_);
  }

 private:
  const float* residual_;
  std::size_t stride_;
  Quads scale_;
};

// gemm_s8, kProduct: the int32 sums of rows m .. m + kR - 1, columns n .. n + 7, to y.
template <int kStart, int kR>
MBRT_INLINE inline void store_product8(const GemmS8& g, std::size_t m, std::size_t n,
                                       const int32x4_t (&acc)[kR][kTileQuads]) {
  const std::size_t out_stride = g.out_stride;
  float* out = g.out + m * out_stride + n;
  Quads scale;
  load_quads(scale, g.w_scale + n);
  unroll<kR>([&](auto r) MBRT_INLINE {
    Quads y;
    unroll<kTileQuads>(
        [&](auto q) MBRT_INLINE { y[q] = vmulq_f32(float_of_sum<kStart>(acc[r][q]), scale[q]); });
    store_quads(out, y);
    next_row(out, out_stride);
  });
}

// gemm_s8: the int32 sums of rows m .. m + kR - 1, columns n .. n + 7, to y.
template <Epilogue kEpilogue, int kStart = kAtZero, int kR>
MBRT_INLINE inline void store_tile8(const GemmS8& g, std::size_t m, std::size_t n,
                                    const int32x4_t (&acc)[kR][kTileQuads]) {
  if constexpr (kEpilogue == Epilogue::kProduct) {
    store_product8<kStart>(g, m, n, acc);
    return;
  }
  Finish<kEpilogue, GemmS8> finish(g, m, n);
  const std::size_t out_stride = g.out_stride;
  float* out = g.out + m * out_stride + n;
  const RowFactors<kR> a_scale(g.a_scale + m);
  const RowFactors<kR> a_shift(g.a_shift + m);
  const float* bias = g.bias + n;
  Quads w_scale;
  Quads w_sum;
  load_quads(w_scale, g.w_scale + n);
  load_quads(w_sum, g.w_sum + n);
  unroll<kR>([&](auto r) MBRT_INLINE {
    Quads y;
    load_quads(y, bias);  // in every row: fma overwrites it, and a load is cheaper than a copy
    unroll<kTileQuads>([&](auto q) MBRT_INLINE {
      const float32x4_t scale = a_scale.times(w_scale[q], r);
      const float32x4_t base = a_shift.add_times(y[q], w_sum[q], r);
      y[q] = vfmaq_f32(base, float_of_sum<kStart>(acc[r][q]), scale);
    });
    finish(y);
    store_quads(out, y);
    next_row(out, out_stride);
  });
}

// gemm_f32: the float sums of the same rows and columns, to y.
template <Epilogue kEpilogue, int kR>
MBRT_INLINE inline void store_tile8(const GemmF32& g, std::size_t m, std::size_t n,
                                    const float32x4_t (&acc)[kR][kTileQuads]) {
  const std::size_t out_stride = g.out_stride;
  float* out = g.out + m * out_stride + n;
  if constexpr (kEpilogue == Epilogue::kProduct) {
    unroll<kR>([&](auto r) MBRT_INLINE {
      store_quads(out, acc[r]);
      next_row(out, out_stride);
    });
  } else {
    Finish<kEpilogue, GemmF32> finish(g, m, n);
    Quads bias;
    load_quads(bias, g.bias + n);
    unroll<kR>([&](auto r) MBRT_INLINE {
      Quads y;
      unroll<kTileQuads>([&](auto q) MBRT_INLINE { y[q] = vaddq_f32(acc[r][q], bias[q]); });
      finish(y);
      store_quads(out, y);
      next_row(out, out_stride);
    });
  }
}

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_KERNELS_ARM_QUADS_H_
