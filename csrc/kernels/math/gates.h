// x times a gate that goes from 0 to 1: silu, gelu (tanh) and gelu (erf).
//
//   silu(x)      = x sigmoid(x)
//   gelu_tanh(x) = x sigmoid(2 u)    since (1 + tanh u) / 2 = sigmoid(2 u),
//                  u = sqrt(2 / pi) (x + 0.044715 x^3)
//   gelu_erf(x)  = x Phi(x)          since (1 + erf(x / sqrt 2)) / 2 = Phi(x)
//
// The textbook forms add 1 to a number near -1 when x is negative, which loses precision; these do
// not. Errors against the exact functions (tests/kernels/all_floats.cc runs every float):
//
//   silu        x > 0: 1.6 ulp
//               x < 0: 3.4 ulp (worst: x = -0x1.9b0a48p+1); -0 below -87.33, |silu| < 1.1e-36
//   gelu_tanh   x > 0: 2.0 ulp     -1 <= x < 0: 3.1 ulp (worst: x = -0x1.918f9ep-1)
//               x < -1: 4.7e-8 |x|
//   gelu_erf    x > 0: 2.7 ulp     -1 <= x < 0: 3.0 ulp (worst: x = -0x1.5be17ep-2)
//               x < -1: 4.7e-8 |x|, and 47 ulp as far as -5.5
//
// -inf gives -0, +inf gives +inf, a NaN stays a NaN. Same bits on every ISA.
#ifndef MBRT_KERNELS_MATH_GATES_H_
#define MBRT_KERNELS_MATH_GATES_H_

#include "kernels/math/exp.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {

// At -90 every gate is 0 already: this avoids -inf * 0. In this operand order a NaN stays a NaN.
inline f32x16 bounded_below(f32x16 x) { return max(broadcast(-90.0f), x); }

// x sigmoid(z), for z of the sign of x: one exponential and one division for either sign.
inline f32x16 times_sigmoid(f32x16 x, f32x16 z) {
  const f32x16 e = exp_nonpositive(neg(abs(z)));
  const f32x16 numerator = select_gt(x, zero(), x, mul(x, e));
  return div(numerator, add(broadcast(1.0f), e));
}

inline f32x16 silu(f32x16 x) {
  const f32x16 b = bounded_below(x);
  return times_sigmoid(b, b);
}

inline f32x16 gelu_tanh(f32x16 x) {
  const f32x16 b = bounded_below(x);
  // 2 sqrt(2 / pi) and 0.044715 times that
  const f32x16 slope = fma(mul(b, b), broadcast(0x1.2444f2p-4f), broadcast(0x1.988454p+0f));
  return times_sigmoid(b, mul(b, slope));
}

// Phi(-a), the upper tail of the normal distribution, for a >= 0: exp(-P(a)). The polynomial P is
// a minimax fit (fit.py) of -ln Phi(-a) on [0, 5.5], to 4.2e-8 of max(1/4, P - 1/4); c0 is ln 2.
// Above 5.5, where Phi is below 2e-8, it grows faster than that, so the tail still goes to 0.
inline f32x16 normal_tail(f32x16 a) {
  f32x16 c = fma(broadcast(0x1.321ccap-26f), a, broadcast(-0x1.1efbcep-21f));
  c = fma(c, a, broadcast(0x1.cf27a2p-18f));
  c = fma(c, a, broadcast(-0x1.985af0p-15f));
  c = fma(c, a, broadcast(0x1.762912p-13f));
  c = fma(c, a, broadcast(0x1.10cf56p-15f));
  c = fma(c, a, broadcast(-0x1.3e2430p-8f));
  c = fma(c, a, broadcast(0x1.29fb32p-5f));
  c = fma(c, a, broadcast(0x1.45f082p-2f));
  c = fma(c, a, broadcast(0x1.98846cp-1f));
  c = fma(c, a, broadcast(0x1.62e430p-1f));
  return exp_nonpositive(neg(c));
}

inline f32x16 gelu_erf(f32x16 x) {
  const f32x16 b = bounded_below(x);
  const f32x16 tail = normal_tail(abs(b));
  return mul(b, select_gt(b, zero(), sub(broadcast(1.0f), tail), tail));
}

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_KERNELS_MATH_GATES_H_
