// exp(x) for x <= 0, for softmax and the gates of the activations.
//
// Error <= 1.05 ulp on (-0x1.5d58a0p+6, 0] (worst: x = -0x1.76fe08p+2). At and below -0x1.5d58a0p+6
// (-87.33655), which is where exp(x) <= 2^-126, the result is +0; none is denormal. A NaN gives +0.
// Same bits on every ISA: 16 lanes, fma, no tables. tests/kernels/all_floats.cc runs every float.
//
//   n     = x / ln 2 to the nearest integer, ties to even
//   r     = x - n ln 2, |r| <= 0.3466, in two steps; the first is exact: its ln 2 has 16 bits
//   p(r)  = r + r^2 (c2 + c3 r + c4 r^2 + c5 r^3 + c6 r^4), near expm1(r)
//   exp   = 2^n (1 + p), the power of two by adding n to the exponent
//
// The coefficients are a minimax fit of expm1 and exp at once (fit.py), to 1.4e-8 of expm1, which
// tanh.h builds on. Degree 5 would cost 2 ulp: its fit is off by 1.9e-7.
#ifndef MBRT_KERNELS_MATH_EXP_H_
#define MBRT_KERNELS_MATH_EXP_H_

#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {

// exp(x) = 2^n (1 + p). exponent holds n in bits 23..31, modulo 2^9.
struct ExpParts {
  f32x16 p;
  i32x16 exponent;
};

// For |x| <= 87.4; for larger |x| the parts are meaningless, but the behaviour is defined.
inline ExpParts exp_parts(f32x16 x) {
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
  static constexpr Addend kRound = addend(0x1.8p+23f);
  static constexpr Addend kC5 = addend(0x1.122c60p-7f), kC4 = addend(0x1.55579cp-5f);
  static constexpr Addend kC3 = addend(0x1.5554aap-3f), kC2 = addend(0x1.fffffep-2f);
  const f32x16 shifted = fma(x, broadcast(0x1.715476p+0f), kRound);
  const f32x16 n = sub(shifted, broadcast(0x1.8p+23f));
  f32x16 r = fma(n, broadcast(-0x1.62e400p-1f), x);
  r = fma(n, broadcast(-0x1.7f7d1cp-20f), r);
  f32x16 c = fma(broadcast(0x1.6ab8bep-10f), r, kC5);
  c = fma(c, r, kC4);
  c = fma(c, r, kC3);
  c = fma(c, r, kC2);
  return {fma(c, mul(r, r), r), shift_left_23(bits(shifted))};
}

inline f32x16 exp_nonpositive(f32x16 x) {
  const ExpParts e = exp_parts(x);
  const f32x16 y = from_bits(add(bits(add(broadcast(1.0f), e.p)), e.exponent));
  return select_gt(x, broadcast(-0x1.5d58a0p+6f), y, zero());
}

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_KERNELS_MATH_EXP_H_
