// The end of a tile on ARM: the epilogues of gemm_tile.h for eight columns, half a block.
//
// ARM tiles are that narrow because eight rows by eight columns are as many accumulators as four by
// sixteen, but take 16 loads for 64 products where those take 20, and GCC 12 spills at the latter.
#ifndef MBRT_KERNELS_ARM_QUADS_H_
#define MBRT_KERNELS_ARM_QUADS_H_

#include <cstddef>

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

// From x (the sum with its bias) to y. What the GEMM's members say is copied first, here and below:
// a compiler must assume that a store may change what lies behind a reference, and would load it
// again for every row.
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

  MBRT_INLINE void operator()(std::size_t row, Quads& x) const {
    unroll<kTileQuads>([&](auto q) MBRT_INLINE {
      if constexpr (kEpilogue == Epilogue::kRelu) x[q] = max_number4(x[q], vdupq_n_f32(0.0f));
      if constexpr (kEpilogue == Epilogue::kResidual) {
        x[q] = vfmaq_f32(x[q], vld1q_f32(residual_ + row * stride_ + q * 4), scale_[q]);
      }
    });
  }

 private:
  const float* residual_;
  std::size_t stride_;
  Quads scale_;
};

// gemm_s8_product: the int32 sums of rows m .. m + kR - 1, columns n .. n + 7, to y.
template <int kR>
MBRT_INLINE inline void store_product8(const GemmS8& g, std::size_t m, std::size_t n,
                                       const int32x4_t (&acc)[kR][kTileQuads]) {
  const std::size_t out_stride = g.out_stride;
  float* out = g.out + m * out_stride + n;
  Quads scale;
  load_quads(scale, g.w_scale + n);
  unroll<kR>([&](auto r) MBRT_INLINE {
    Quads y;
    unroll<kTileQuads>([&](auto q)
                           MBRT_INLINE { y[q] = vmulq_f32(vcvtq_f32_s32(acc[r][q]), scale[q]); });
    store_quads(out + r * out_stride, y);
  });
}

// gemm_s8: the int32 sums of rows m .. m + kR - 1, columns n .. n + 7, to y.
template <Epilogue kEpilogue, int kR>
MBRT_INLINE inline void store_tile8(const GemmS8& g, std::size_t m, std::size_t n,
                                    const int32x4_t (&acc)[kR][kTileQuads]) {
  if constexpr (kEpilogue == Epilogue::kProduct) {
    store_product8(g, m, n, acc);
    return;
  }
  const Finish<kEpilogue, GemmS8> finish(g, m, n);
  const std::size_t out_stride = g.out_stride;
  float* out = g.out + m * out_stride + n;
  const float* a_scale = g.a_scale + m;
  const float* a_shift = g.a_shift + m;
  const float* bias = g.bias + n;
  Quads w_scale;
  Quads w_sum;
  load_quads(w_scale, g.w_scale + n);
  load_quads(w_sum, g.w_sum + n);
  unroll<kR>([&](auto r) MBRT_INLINE {
    Quads y;
    load_quads(y, bias);  // for every row: fma overwrites it, and a load is cheaper than a copy
    unroll<kTileQuads>([&](auto q) MBRT_INLINE {
      const float32x4_t scale = vmulq_n_f32(w_scale[q], a_scale[r]);
      const float32x4_t base = vfmaq_f32(y[q], w_sum[q], vdupq_n_f32(a_shift[r]));
      y[q] = vfmaq_f32(base, vcvtq_f32_s32(acc[r][q]), scale);
    });
    finish(r, y);
    store_quads(out + r * out_stride, y);
  });
}

// gemm_f32: the float sums of the same, to y.
template <Epilogue kEpilogue, int kR>
MBRT_INLINE inline void store_tile8(const GemmF32& g, std::size_t m, std::size_t n,
                                    const float32x4_t (&acc)[kR][kTileQuads]) {
  const std::size_t out_stride = g.out_stride;
  float* out = g.out + m * out_stride + n;
  if constexpr (kEpilogue == Epilogue::kProduct) {
    unroll<kR>([&](auto r) MBRT_INLINE { store_quads(out + r * out_stride, acc[r]); });
  } else {
    const Finish<kEpilogue, GemmF32> finish(g, m, n);
    Quads bias;
    load_quads(bias, g.bias + n);
    unroll<kR>([&](auto r) MBRT_INLINE {
      Quads y;
      unroll<kTileQuads>([&](auto q) MBRT_INLINE { y[q] = vaddq_f32(acc[r][q], bias[q]); });
      finish(r, y);
      store_quads(out + r * out_stride, y);
    });
  }
}

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_KERNELS_ARM_QUADS_H_
