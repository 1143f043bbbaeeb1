// The end of a tile on ARM: the epilogues of gemm_tile.h for eight columns, half a block.
//
// ARM tiles are that narrow because eight rows by eight columns are as many accumulators as four by
// sixteen, but take 16 loads for 64 products where those take 20, and GCC 12 spills at the latter.
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

// Where row m and column n of the int8 operands begin.
inline const std::int8_t* rows_from(const GemmS8& g, std::size_t m) {
  return reinterpret_cast<const std::int8_t*>(g.a) + m * g.a_stride;
}
inline const std::int8_t* columns_from(const GemmS8& g, std::size_t n) {
  return g.w + n / kLanes * kLanes * g.k + n % kLanes * 4;
}

// Lets g begin m rows and n columns further on, as far as the end of a tile looks at it: one
// addition for each address.
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

// Where int32 sums begin, and what they become. Up to K = 256 a sum of products of bytes is within
// 2^22 of 0. Begun at the bits of 1.5 * 2^23, where floats are the integers, it ends as the bits of
// that float plus itself, and a subtraction makes it a float: exact, and the same as a conversion,
// which only one pipe of Neoverse N1 does, at half the rate.
inline constexpr int kAtZero = 0;
inline constexpr int kAtRound = 1;
inline constexpr std::int32_t kStarts[2] = {0, 0x4B400000};
inline constexpr std::size_t kDeepestAtRound = 256;

// The float that a sum stands for.
template <int kStart>
MBRT_INLINE inline float32x4_t float_of_sum(int32x4_t sum) {
  if constexpr (kStart == kAtZero) return vcvtq_f32_s32(sum);
  return vsubq_f32(vreinterpretq_f32_s32(sum), vdupq_n_f32(12582912.0f));
}

// One float for each row of a tile. Four of them are one load, and their lanes are operands; what
// is left over is loaded one by one, as all are on 32-bit ARM.
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

// Says that the sums lie in registers, each in its own, now: put between the steps of a k loop, for
// GCC 12 else moves sums from register to register (up to 12 moves for 64 products) and puts loads
// where an in-order core waits for them. Up to four rows it has registers enough and needs no word.
template <int kR, typename Sum>
MBRT_INLINE inline void pin([[maybe_unused]] Sum (&acc)[kR][kTileQuads]) {
#ifndef __clang__
  if constexpr (kR > 4) {
    unroll<kR>([&](auto r) MBRT_INLINE { asm("" : "+w"(acc[r][0]), "+w"(acc[r][1])); });
  }
#endif
}

// To the next row, in one addition and now: given all rows of a tile, GCC 12 keeps an address for
// each, in memory when it has no register left, and loads it again for every tile.
template <typename T>
MBRT_INLINE inline void next_row(T*& row, std::size_t stride) {
  row += stride;
  asm("" : "+r"(row));
}

// From x (the sum with its bias) to y, row by row. What the GEMM's members say is copied first,
// here and below: a compiler must assume that a store may change what lies behind a reference, and
// would load it again for every row.
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

// gemm_s8_product: the int32 sums of rows m .. m + kR - 1, columns n .. n + 7, to y.
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
    load_quads(y, bias);  // for every row: fma overwrites it, and a load is cheaper than a copy
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

// gemm_f32: the float sums of the same, to y.
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
