// f32x16 as an array: the baseline of every architecture, and the reference for the bits of the
// others.
#ifndef MBRT_SIMD_SCALAR_H_
#define MBRT_SIMD_SCALAR_H_

#include <cstddef>
#include <cstdint>

#include "simd/round_to_odd.h"

namespace mbrt::MBRT_TARGET {

struct f32x16 {
  float lane[16];
};

struct i32x16 {
  std::int32_t lane[16];
};

// a * b + c, rounded once.
inline float fused_multiply_add(float a, float b, float c) {
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
  return __builtin_fmaf(a, b, c);
#else
  return fma_rounded_to_odd(a, b, c);
#endif
}

// f(lane) for each of the 16 lanes.
template <typename F>
inline f32x16 each_lane(F f) {
  f32x16 r;
  for (int i = 0; i < 16; ++i) r.lane[i] = f(i);
  return r;
}

template <typename F>
inline i32x16 each_lane_i32(F f) {
  i32x16 r;
  for (int i = 0; i < 16; ++i) r.lane[i] = f(i);
  return r;
}

inline f32x16 load(const float* p) {
  return each_lane([=](int i) { return p[i]; });
}
inline void store(float* p, f32x16 v) {
  for (int i = 0; i < 16; ++i) p[i] = v.lane[i];
}
inline f32x16 load_partial(const float* p, std::size_t n) {
  return each_lane([=](int i) { return static_cast<std::size_t>(i) < n ? p[i] : 0.0f; });
}
inline void store_partial(float* p, std::size_t n, f32x16 v) {
  for (std::size_t i = 0; i < n; ++i) p[i] = v.lane[i];
}
inline f32x16 broadcast(float x) {
  return each_lane([=](int) { return x; });
}
inline f32x16 zero() { return broadcast(0.0f); }

inline f32x16 add(f32x16 a, f32x16 b) {
  return each_lane([&](int i) { return a.lane[i] + b.lane[i]; });
}
inline f32x16 sub(f32x16 a, f32x16 b) {
  return each_lane([&](int i) { return a.lane[i] - b.lane[i]; });
}
inline f32x16 mul(f32x16 a, f32x16 b) {
  return each_lane([&](int i) { return a.lane[i] * b.lane[i]; });
}
inline f32x16 div(f32x16 a, f32x16 b) {
  return each_lane([&](int i) { return a.lane[i] / b.lane[i]; });
}
inline f32x16 fma(f32x16 a, f32x16 b, f32x16 c) {
  return each_lane([&](int i) { return fused_multiply_add(a.lane[i], b.lane[i], c.lane[i]); });
}
inline f32x16 fma(f32x16 a, f32x16 b, const Addend& c) { return fma(a, b, broadcast(c.eight[0])); }
inline f32x16 sqrt(f32x16 a) {
  return each_lane([&](int i) { return __builtin_sqrtf(a.lane[i]); });
}
inline f32x16 abs(f32x16 a) {
  return each_lane([&](int i) { return __builtin_fabsf(a.lane[i]); });
}
inline f32x16 neg(f32x16 a) {
  return each_lane([&](int i) { return -a.lane[i]; });
}
inline f32x16 max(f32x16 a, f32x16 b) {
  return each_lane([&](int i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; });
}
inline f32x16 min(f32x16 a, f32x16 b) {
  return each_lane([&](int i) { return a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i]; });
}
inline f32x16 max_number(f32x16 x, f32x16 m) { return max(x, m); }
inline f32x16 select_gt(f32x16 a, f32x16 b, f32x16 x, f32x16 y) {
  return each_lane([&](int i) { return a.lane[i] > b.lane[i] ? x.lane[i] : y.lane[i]; });
}

inline float reduce_add(f32x16 a) {
  for (int half = 8; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) a.lane[i] = a.lane[i] + a.lane[i + half];
  }
  return a.lane[0];
}
inline float reduce_max(f32x16 a) {
  for (int half = 8; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i)
      a.lane[i] = a.lane[i] > a.lane[i + half] ? a.lane[i] : a.lane[i + half];
  }
  return a.lane[0];
}

inline f32x16 to_f32(i32x16 a) {
  return each_lane([&](int i) { return static_cast<float>(a.lane[i]); });
}
inline i32x16 bits(f32x16 a) {
  i32x16 r;
  __builtin_memcpy(&r, &a, sizeof r);
  return r;
}
inline f32x16 from_bits(i32x16 a) {
  f32x16 r;
  __builtin_memcpy(&r, &a, sizeof r);
  return r;
}
inline i32x16 broadcast_i32(std::int32_t x) {
  return each_lane_i32([=](int) { return x; });
}
inline i32x16 add(i32x16 a, i32x16 b) {  // modulo 2^32
  return each_lane_i32([&](int i) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(a.lane[i]) +
                                     static_cast<std::uint32_t>(b.lane[i]));
  });
}
inline std::int32_t larger_unsigned(std::int32_t a, std::int32_t b) {
  return static_cast<std::uint32_t>(a) > static_cast<std::uint32_t>(b) ? a : b;
}
inline i32x16 max_signed(i32x16 a, i32x16 b) {
  return each_lane_i32([&](int i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; });
}
inline i32x16 max_unsigned(i32x16 a, i32x16 b) {
  return each_lane_i32([&](int i) { return larger_unsigned(a.lane[i], b.lane[i]); });
}
inline std::int32_t reduce_max_signed(i32x16 a) {
  std::int32_t most = a.lane[0];
  for (int i = 1; i < 16; ++i) most = a.lane[i] > most ? a.lane[i] : most;
  return most;
}
inline std::int32_t reduce_max_unsigned(i32x16 a) {
  std::int32_t most = a.lane[0];
  for (int i = 1; i < 16; ++i) most = larger_unsigned(a.lane[i], most);
  return most;
}
inline i32x16 shift_left_23(i32x16 a) {
  return each_lane_i32([&](int i) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(a.lane[i]) << 23);
  });
}
inline i32x16 load_i32(const std::int32_t* p) {
  return each_lane_i32([=](int i) { return p[i]; });
}
inline i32x16 load_s8(const std::int8_t* p) {
  return each_lane_i32([=](int i) { return static_cast<std::int32_t>(p[i]); });
}
inline void store_low_bytes(std::uint8_t* p, i32x16 v) {
  for (int i = 0; i < 16; ++i) p[i] = static_cast<std::uint8_t>(v.lane[i]);
}

using f32max = f32x16;
using i32max = i32x16;
inline f32max broadcast_max(float x) { return broadcast(x); }
inline i32max broadcast_max_i32(std::int32_t x) { return broadcast_i32(x); }

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_SIMD_SCALAR_H_
