// Fused multiply-add of floats without an fma instruction.
#ifndef MBRT_SIMD_ROUND_TO_ODD_H_
#define MBRT_SIMD_ROUND_TO_ODD_H_

#include <cstdint>

namespace mbrt::MBRT_TARGET {

// a * b + c, rounded once. The product of two floats is exact in double, and a sum rounded to odd (last
// bit set if any bits were lost) rounds to float as the exact sum does. libm's fmaf would be a call per
// element, and was wrong on some platforms.
inline float fma_rounded_to_odd(float a, float b, float c) {
  const double product = static_cast<double>(a) * b;
  const double addend = c;
  double sum = product + addend;
  const double second = sum - product;
  const double lost =
      (product - (sum - second)) + (addend - second);  // exact: sum + lost == product + addend
  std::int64_t sum_bits;
  __builtin_memcpy(&sum_bits, &sum, sizeof sum);
  const std::int64_t inexact =
      (lost < 0.0) | (lost > 0.0);  // false for the NaN that infinities leave
  const std::int64_t away = ((lost > 0.0) == (sum > 0.0)) ? 1 : -1;
  sum_bits += (inexact & ~sum_bits) * away;
  __builtin_memcpy(&sum, &sum_bits, sizeof sum);
  return static_cast<float>(sum);
}

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_SIMD_ROUND_TO_ODD_H_
