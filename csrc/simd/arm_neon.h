// f32x16 as four NEON registers, for 64-bit ARM (armv8.0) and 32-bit ARM (NEON with VFPv4).
//
// Same bits as every other implementation on 64-bit ARM: vfmaq rounds once, division and square
// root are the IEEE instructions, and max and min are a comparison and a selection (fmax would
// return NaN, and +0 of either order). 32-bit NEON flushes denormals and has no division or square
// root: VFP does those lane by lane. Results agree with the other ISAs only if no denormal occurs.
//
// The registers are four members, not an array or float32x4x4_t: GCC keeps an array in memory until
// its loops are unrolled, and allocates consecutive registers for float32x4x4_t.
#ifndef MBRT_SIMD_ARM_NEON_H_
#define MBRT_SIMD_ARM_NEON_H_

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#ifndef __ARM_FEATURE_FMA
#error "arm_neon.h: no fused multiply-add; compile for 32-bit ARM with -mfpu=neon-vfpv4"
#endif

namespace mbrt::MBRT_TARGET {

struct f32x16 {
  float32x4_t q0, q1, q2, q3;  // lanes 0..3, 4..7, 8..11, 12..15
};

struct i32x16 {
  int32x4_t q0, q1, q2, q3;
};

// Four lanes: operations in which 32-bit and 64-bit ARM differ, and those that define the bits.

inline float32x4_t max4(float32x4_t a, float32x4_t b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
inline float32x4_t min4(float32x4_t a, float32x4_t b) { return vbslq_f32(vcltq_f32(a, b), a, b); }

#ifdef __aarch64__

// One instruction: of a quiet NaN and a number it returns the number.
inline float32x4_t max_number4(float32x4_t x, float32x4_t m) { return vmaxnmq_f32(x, m); }
inline float32x4_t div4(float32x4_t a, float32x4_t b) { return vdivq_f32(a, b); }
inline float32x4_t sqrt4(float32x4_t a) { return vsqrtq_f32(a); }

#else

inline float32x4_t max_number4(float32x4_t x, float32x4_t m) { return max4(x, m); }

inline float32x4_t div4(float32x4_t a, float32x4_t b) {
  float32x4_t y = vdupq_n_f32(vgetq_lane_f32(a, 0) / vgetq_lane_f32(b, 0));
  y = vsetq_lane_f32(vgetq_lane_f32(a, 1) / vgetq_lane_f32(b, 1), y, 1);
  y = vsetq_lane_f32(vgetq_lane_f32(a, 2) / vgetq_lane_f32(b, 2), y, 2);
  return vsetq_lane_f32(vgetq_lane_f32(a, 3) / vgetq_lane_f32(b, 3), y, 3);
}

inline float32x4_t sqrt4(float32x4_t a) {
  float32x4_t y = vdupq_n_f32(__builtin_sqrtf(vgetq_lane_f32(a, 0)));
  y = vsetq_lane_f32(__builtin_sqrtf(vgetq_lane_f32(a, 1)), y, 1);
  y = vsetq_lane_f32(__builtin_sqrtf(vgetq_lane_f32(a, 2)), y, 2);
  return vsetq_lane_f32(__builtin_sqrtf(vgetq_lane_f32(a, 3)), y, 3);
}

#endif  // __aarch64__

// Sixteen lanes.

inline f32x16 load(const float* p) {
  return {vld1q_f32(p), vld1q_f32(p + 4), vld1q_f32(p + 8), vld1q_f32(p + 12)};
}

inline void store(float* p, f32x16 v) {
  vst1q_f32(p, v.q0);
  vst1q_f32(p + 4, v.q1);
  vst1q_f32(p + 8, v.q2);
  vst1q_f32(p + 12, v.q3);
}

// Through memory: these are tails, once per row, and branches on n would need more code than the
// work of the row.
inline f32x16 load_partial(const float* p, std::size_t n) {
  float lanes[16] = {};
  std::memcpy(lanes, p, n * sizeof(float));
  return load(lanes);
}

inline void store_partial(float* p, std::size_t n, f32x16 v) {
  float lanes[16];
  store(lanes, v);
  std::memcpy(p, lanes, n * sizeof(float));
}

inline f32x16 broadcast(float x) {
  const float32x4_t q = vdupq_n_f32(x);
  return {q, q, q, q};
}

inline f32x16 zero() { return broadcast(0.0f); }

inline f32x16 add(f32x16 a, f32x16 b) {
  return {vaddq_f32(a.q0, b.q0), vaddq_f32(a.q1, b.q1), vaddq_f32(a.q2, b.q2),
          vaddq_f32(a.q3, b.q3)};
}

inline f32x16 sub(f32x16 a, f32x16 b) {
  return {vsubq_f32(a.q0, b.q0), vsubq_f32(a.q1, b.q1), vsubq_f32(a.q2, b.q2),
          vsubq_f32(a.q3, b.q3)};
}

inline f32x16 mul(f32x16 a, f32x16 b) {
  return {vmulq_f32(a.q0, b.q0), vmulq_f32(a.q1, b.q1), vmulq_f32(a.q2, b.q2),
          vmulq_f32(a.q3, b.q3)};
}

inline f32x16 div(f32x16 a, f32x16 b) {
  return {div4(a.q0, b.q0), div4(a.q1, b.q1), div4(a.q2, b.q2), div4(a.q3, b.q3)};
}

inline f32x16 fma(f32x16 a, f32x16 b, f32x16 c) {
  return {vfmaq_f32(c.q0, a.q0, b.q0), vfmaq_f32(c.q1, a.q1, b.q1), vfmaq_f32(c.q2, a.q2, b.q2),
          vfmaq_f32(c.q3, a.q3, b.q3)};
}

inline f32x16 fma(f32x16 a, f32x16 b, const Addend& c) {
#ifdef __aarch64__
  f32x16 y;  // volatile: otherwise the compiler loads an addend once and copies it
  asm volatile("ldp %q0, %q1, %2" : "=w"(y.q0), "=w"(y.q1) : "Q"(c));
  asm volatile("ldp %q0, %q1, %2" : "=w"(y.q2), "=w"(y.q3) : "Q"(c));
  return fma(a, b, y);
#else
  return fma(a, b, broadcast(c.eight[0]));
#endif
}

inline f32x16 sqrt(f32x16 a) { return {sqrt4(a.q0), sqrt4(a.q1), sqrt4(a.q2), sqrt4(a.q3)}; }

inline f32x16 abs(f32x16 a) {
  return {vabsq_f32(a.q0), vabsq_f32(a.q1), vabsq_f32(a.q2), vabsq_f32(a.q3)};
}

inline f32x16 neg(f32x16 a) {
  return {vnegq_f32(a.q0), vnegq_f32(a.q1), vnegq_f32(a.q2), vnegq_f32(a.q3)};
}

inline f32x16 max(f32x16 a, f32x16 b) {
  return {max4(a.q0, b.q0), max4(a.q1, b.q1), max4(a.q2, b.q2), max4(a.q3, b.q3)};
}

inline f32x16 min(f32x16 a, f32x16 b) {
  return {min4(a.q0, b.q0), min4(a.q1, b.q1), min4(a.q2, b.q2), min4(a.q3, b.q3)};
}

inline f32x16 max_number(f32x16 x, f32x16 m) {
  return {max_number4(x.q0, m.q0), max_number4(x.q1, m.q1), max_number4(x.q2, m.q2),
          max_number4(x.q3, m.q3)};
}

inline f32x16 select_gt(f32x16 a, f32x16 b, f32x16 x, f32x16 y) {
  return {
      vbslq_f32(vcgtq_f32(a.q0, b.q0), x.q0, y.q0), vbslq_f32(vcgtq_f32(a.q1, b.q1), x.q1, y.q1),
      vbslq_f32(vcgtq_f32(a.q2, b.q2), x.q2, y.q2), vbslq_f32(vcgtq_f32(a.q3, b.q3), x.q3, y.q3)};
}

inline float reduce_add(f32x16 a) {
  const float32x4_t four = vaddq_f32(vaddq_f32(a.q0, a.q2), vaddq_f32(a.q1, a.q3));
  const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
}

inline float reduce_max(f32x16 a) {
  const float32x4_t four = max4(max4(a.q0, a.q2), max4(a.q1, a.q3));
  const float32x2_t low = vget_low_f32(four);
  const float32x2_t high = vget_high_f32(four);
  const float32x2_t two = vbsl_f32(vcgt_f32(low, high), low, high);
  const float x = vget_lane_f32(two, 0);
  const float y = vget_lane_f32(two, 1);
  return x > y ? x : y;
}

// Integers.

inline f32x16 to_f32(i32x16 a) {
  return {vcvtq_f32_s32(a.q0), vcvtq_f32_s32(a.q1), vcvtq_f32_s32(a.q2), vcvtq_f32_s32(a.q3)};
}

inline i32x16 bits(f32x16 a) {
  return {vreinterpretq_s32_f32(a.q0), vreinterpretq_s32_f32(a.q1), vreinterpretq_s32_f32(a.q2),
          vreinterpretq_s32_f32(a.q3)};
}

inline f32x16 from_bits(i32x16 a) {
  return {vreinterpretq_f32_s32(a.q0), vreinterpretq_f32_s32(a.q1), vreinterpretq_f32_s32(a.q2),
          vreinterpretq_f32_s32(a.q3)};
}

inline i32x16 broadcast_i32(std::int32_t x) {
  const int32x4_t q = vdupq_n_s32(x);
  return {q, q, q, q};
}

inline i32x16 add(i32x16 a, i32x16 b) {
  return {vaddq_s32(a.q0, b.q0), vaddq_s32(a.q1, b.q1), vaddq_s32(a.q2, b.q2),
          vaddq_s32(a.q3, b.q3)};
}

inline i32x16 shift_left_23(i32x16 a) {
  return {vshlq_n_s32(a.q0, 23), vshlq_n_s32(a.q1, 23), vshlq_n_s32(a.q2, 23),
          vshlq_n_s32(a.q3, 23)};
}

inline i32x16 load_i32(const std::int32_t* p) {
  return {vld1q_s32(p), vld1q_s32(p + 4), vld1q_s32(p + 8), vld1q_s32(p + 12)};
}

inline i32x16 load_s8(const std::int8_t* p) {
  const int8x16_t bytes = vld1q_s8(p);
  const int16x8_t low = vmovl_s8(vget_low_s8(bytes));
  const int16x8_t high = vmovl_s8(vget_high_s8(bytes));
  return {vmovl_s16(vget_low_s16(low)), vmovl_s16(vget_high_s16(low)),
          vmovl_s16(vget_low_s16(high)), vmovl_s16(vget_high_s16(high))};
}

inline void store_low_bytes(std::uint8_t* p, i32x16 a) {
#ifdef __aarch64__
  // The even halves of the lanes, then the even bytes of those: three instructions, where narrowing
  // needs six.
  const int16x8_t low = vuzp1q_s16(vreinterpretq_s16_s32(a.q0), vreinterpretq_s16_s32(a.q1));
  const int16x8_t high = vuzp1q_s16(vreinterpretq_s16_s32(a.q2), vreinterpretq_s16_s32(a.q3));
  vst1q_u8(p, vuzp1q_u8(vreinterpretq_u8_s16(low), vreinterpretq_u8_s16(high)));
#else
  const int16x8_t low = vcombine_s16(vmovn_s32(a.q0), vmovn_s32(a.q1));
  const int16x8_t high = vcombine_s16(vmovn_s32(a.q2), vmovn_s32(a.q3));
  vst1q_s8(reinterpret_cast<std::int8_t*>(p), vcombine_s8(vmovn_s16(low), vmovn_s16(high)));
#endif
}

// Running maxima in four lanes: folding the other registers at once needs no extra instruction and
// frees three registers.

struct f32max {
  float32x4_t q;
};
struct i32max {
  int32x4_t q;
};

inline f32max broadcast_max(float x) { return {vdupq_n_f32(x)}; }
inline i32max broadcast_max_i32(std::int32_t x) { return {vdupq_n_s32(x)}; }

inline f32max max_number(f32x16 x, f32max m) {
#ifdef __aarch64__
  const float32x4_t four = max_number4(max_number4(x.q0, x.q1), max_number4(x.q2, x.q3));
  return {max_number4(four, m.q)};
#else  // one after the other: the second operand must not be a NaN
  return {max_number4(x.q0, max_number4(x.q1, max_number4(x.q2, max_number4(x.q3, m.q))))};
#endif
}

inline int32x4_t max_unsigned4(int32x4_t a, int32x4_t b) {
  return vreinterpretq_s32_u32(vmaxq_u32(vreinterpretq_u32_s32(a), vreinterpretq_u32_s32(b)));
}

inline i32max max_signed(i32max a, i32max b) { return {vmaxq_s32(a.q, b.q)}; }
inline i32max max_unsigned(i32max a, i32max b) { return {max_unsigned4(a.q, b.q)}; }
inline i32max max_signed(i32x16 a, i32max m) {
  return {vmaxq_s32(vmaxq_s32(vmaxq_s32(a.q0, a.q1), vmaxq_s32(a.q2, a.q3)), m.q)};
}
inline i32max max_unsigned(i32x16 a, i32max m) {
  return {max_unsigned4(max_unsigned4(max_unsigned4(a.q0, a.q1), max_unsigned4(a.q2, a.q3)), m.q)};
}

#ifdef __aarch64__

inline float reduce_max(f32max m) { return vmaxnmvq_f32(m.q); }
inline std::int32_t reduce_max_signed(i32max m) { return vmaxvq_s32(m.q); }
inline std::int32_t reduce_max_unsigned(i32max m) {
  return static_cast<std::int32_t>(vmaxvq_u32(vreinterpretq_u32_s32(m.q)));
}

#else

inline float reduce_max(f32max m) { return reduce_max(f32x16{m.q, m.q, m.q, m.q}); }
inline std::int32_t reduce_max_signed(i32max m) {
  const int32x2_t two = vmax_s32(vget_low_s32(m.q), vget_high_s32(m.q));
  return vget_lane_s32(vpmax_s32(two, two), 0);
}
inline std::int32_t reduce_max_unsigned(i32max m) {
  const uint32x4_t four = vreinterpretq_u32_s32(m.q);
  const uint32x2_t two = vmax_u32(vget_low_u32(four), vget_high_u32(four));
  return static_cast<std::int32_t>(vget_lane_u32(vpmax_u32(two, two), 0));
}

#endif  // __aarch64__

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_SIMD_ARM_NEON_H_
