// tanh(x) for every float.
//
// Error <= 2.6 ulp from denormals to infinity (worst: x = 0x1.fc1832p-5). Exactly odd, except that
// tanh(-0) is +0; a NaN stays a NaN. Same bits on every ISA: 16 lanes, fma, no tables.
// tests/kernels/all_floats.cc runs every float.
//
//   q        = expm1(2 |x|) = 2^n p + (2^n - 1)      p and n of exp.h
//   tanh |x| = q / (q + 2)
//
// p has a small relative error, and so has q near 0: one path is enough for all arguments. Tried and
// dropped: expm1(-2 |x|), 2.5 ulp; one or the other by |x|, 2.3 ulp for two more operations.
#ifndef MBRT_KERNELS_MATH_TANH_H_
#define MBRT_KERNELS_MATH_TANH_H_

#include "kernels/math/exp.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {

inline f32x16 tanh(f32x16 x) {
  // From 9.02 on the result rounds to 1. The bound keeps 2^n in range; in this operand order a NaN
  // stays a NaN.
  const f32x16 bounded = min(broadcast(10.0f), abs(x));
  const f32x16 one = broadcast(1.0f);
  const ExpParts e = exp_parts(add(bounded, bounded));
  const f32x16 power = from_bits(add(bits(one), e.exponent));
  const f32x16 q = fma(power, e.p, sub(power, one));
  const f32x16 y = div(q, add(q, broadcast(2.0f)));
  return select_gt(zero(), x, neg(y), y);
}

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_KERNELS_MATH_TANH_H_
