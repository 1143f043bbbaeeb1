// 2^x for x <= 0 to 3.7e-6, for attention weights that become bytes.
//
// Relative error <= 3.7e-6 on (-126, 0]; exactly 1 at 0. At and below -126 the result is +0; none is
// denormal. A NaN gives +0. Same bits on every ISA: 16 lanes, fma, no tables.
// tests/kernels/all_floats.cc runs every float.
//
//   n     = x to the nearest integer, ties to even
//   f     = x - n, exact, |f| <= 0.5
//   p(f)  = 1 + f (c1 + c2 f + c3 f^2 + c4 f^3), near 2^f
//   exp2  = 2^n p, the power of two by adding n to the exponent
//
// Half the multiplications of exp.h: base 2 needs no reduction in two steps (the factor log2 e is
// part of the score's scale), and a weight of seven bits needs no degree 6. Degree 3 would have an
// error of 4.3e-4.
#ifndef MBRT_KERNELS_MATH_EXP2_H_
#define MBRT_KERNELS_MATH_EXP2_H_

#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {

inline f32x16 exp2_nonpositive(f32x16 x) {
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
  static constexpr Addend kC3 = addend(0x1.ca8f48p-5f), kC2 = addend(0x1.ebf1b8p-3f);
  static constexpr Addend kC1 = addend(0x1.62dfcap-1f), kC0 = addend(1.0f);
  const f32x16 round = broadcast(0x1.8p+23f);
  const f32x16 shifted = add(x, round);
  const f32x16 f = sub(x, sub(shifted, round));
  const f32x16 p = polynomial(f, 0x1.408b5ep-7f, kC3, kC2, kC1, kC0);
  const f32x16 y = from_bits(add(bits(p), shift_left_23(bits(shifted))));
  return select_gt(x, broadcast(-126.0f), y, zero());
}

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_KERNELS_MATH_EXP2_H_
