// fma, fma_to_integer and polynomial of a target against sums rounded to odd (simd/round_to_odd.h),
// which scalar kernels use. Compiled for each target.
#include <cstdint>
#include <cstring>

#include "simd/simd.h"

#define MBRT_JOIN(a, b) a##b
#define MBRT_NAME(a, b) MBRT_JOIN(a, b)
#define MBRT_TEXT_OF(name) #name
#define MBRT_TEXT(name) MBRT_TEXT_OF(name)

namespace {

namespace simd = mbrt::MBRT_TARGET;

struct Random {
  std::uint64_t state;
  std::uint32_t next() {  // splitmix64
    std::uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<std::uint32_t>((z ^ (z >> 31)) >> 32);
  }
};

float float_of(std::uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

float power_of_two(int exponent) {
  return float_of(static_cast<std::uint32_t>(exponent + 127) << 23);
}

// A product near half the last place of c: i^2 * 2^-46 of itself away from it. The double nearest to the sum is then
// often half way between two floats, while the sum is not.
void near_half_way(Random& random, float& a, float& b, float& c) {
  const int i = static_cast<int>(random.next() % 512);
  const float sign = random.next() % 2 == 0 ? 1.0f : -1.0f;
  // c: denormal, or from 2^-126 to 2^0; half its last place is 2^e.
  const bool denormal = random.next() % 4 == 0;
  const int exponent = denormal ? -126 : static_cast<int>(random.next() % 127) - 126;
  const int e = exponent - 24;
  const std::uint32_t mantissa = random.next() & 0x7fffff;
  c = denormal ? float_of(mantissa)
               : float_of(mantissa | static_cast<std::uint32_t>(exponent + 127) << 23);
  if (random.next() % 2 == 0) c = -c;
  a = sign * (1.0f + static_cast<float>(i) * 0x1p-23f) * power_of_two(e / 2);
  b = (1.0f - static_cast<float>(i) * 0x1p-23f) * power_of_two(e - e / 2);
}

// Products up to 1,020, every other one half way between two integers or next to it.
void near_half_integer(Random& random, float& a, float& b) {
  const bool near = random.next() % 2 == 0;
  const int halves = static_cast<int>(random.next() % 2040) - 1020;
  const float near_half = 0.5f + static_cast<float>(random.next() % 5) * 0x1p-24f - 0x1p-23f;
  a = near ? static_cast<float>(halves)
           : static_cast<float>(random.next() >> 8) * 0x1p-14f - 512.0f;
  b = near ? near_half : static_cast<float>(random.next() >> 8) * 0x1p-23f;
}

}  // namespace

// How many of 32 * `count` cases have other bits than they should.
extern "C" __attribute__((export_name("fma_errors_" MBRT_TEXT(MBRT_TARGET)))) std::uint32_t
MBRT_NAME(fma_errors_, MBRT_TARGET)(std::uint32_t seed, std::uint32_t count) {
  Random random{seed};
  std::uint32_t errors = 0;
  for (std::uint32_t n = 0; n < count; ++n) {
    float a[16], b[16], c[16], found[16];
    for (int i = 0; i < 16; ++i) {
      if (n % 2 == 0) {
        near_half_way(random, a[i], b[i], c[i]);
      } else {
        a[i] = float_of(random.next());
        b[i] = float_of(random.next());
        c[i] = float_of(random.next());
      }
    }
    simd::store(found, simd::fma(simd::load(a), simd::load(b), simd::load(c)));
    for (int i = 0; i < 16; ++i) {
      const float expected = simd::fma_rounded_to_odd(a[i], b[i], c[i]);
      const bool both_nan = found[i] != found[i] && expected != expected;
      errors += !both_nan && std::memcmp(&found[i], &expected, sizeof expected) != 0;
    }
    const float round = 0x1.8p+23f + static_cast<float>(random.next() % 512) - 256.0f;
    for (int i = 0; i < 16; ++i) near_half_integer(random, a[i], b[i]);
    simd::store(found, simd::fma_to_integer(simd::load(a), simd::load(b), simd::addend(round)));
    for (int i = 0; i < 16; ++i) {
      errors += found[i] != simd::fma_rounded_to_odd(a[i], b[i], round);
    }
  }
  return errors;
}

// The same for the polynomial of kernels/math/exp2.h: 16 * `count` arguments between -0.5 and 0, `stride` apart in
// their bits from `first` on.
extern "C" __attribute__((export_name("polynomial_errors_" MBRT_TEXT(MBRT_TARGET)))) std::uint32_t
MBRT_NAME(polynomial_errors_, MBRT_TARGET)(std::uint32_t first, std::uint32_t stride,
                                           std::uint32_t count) {
  constexpr float kC[] = {0x1.408b5ep-7f, 0x1.ca8f48p-5f, 0x1.ebf1b8p-3f, 0x1.62dfcap-1f, 1.0f};
  std::uint32_t errors = 0;
  for (std::uint32_t n = 0; n < count; ++n) {
    float f[16], found[16];
    for (std::uint32_t i = 0; i < 16; ++i) f[i] = -float_of(first + (16 * n + i) * stride);
    simd::store(found,
                simd::polynomial(simd::load(f), kC[0], simd::addend(kC[1]), simd::addend(kC[2]),
                                 simd::addend(kC[3]), simd::addend(kC[4])));
    for (int i = 0; i < 16; ++i) {
      float expected = kC[0];
      for (int k = 1; k < 5; ++k) expected = simd::fma_rounded_to_odd(expected, f[i], kC[k]);
      errors += found[i] != expected;
    }
  }
  return errors;
}
