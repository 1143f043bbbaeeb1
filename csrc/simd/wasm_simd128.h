// f32x16 as four 128-bit vectors of WebAssembly, with relaxed SIMD or without.
//
// fma, with relaxed SIMD: relaxed_madd, which may round once or twice; the kernel set is used only where
// a probe finds that it rounds once (base/cpu_features_wasm_relaxed.cc).
//
// fma, without: the product p of two floats is exact in double (48 bits, exponent >= -298). s = p + c is
// rounded to double and r = s to float. r differs from the exact sum rounded once only if s was inexact
// and lies exactly between two floats. Then, for a normal or infinite r, the 29 bits that s loses are
// 100...0. For a denormal r they are others: every denormal r counts as doubtful. For r = 0 there is no
// doubt: |s| <= 2^-150, and the last bit of p + c is then at least 2^-198, so s is exact. Doubtful lanes,
// one in 2^29 of ordinary numbers, are computed again with a sum that is rounded to odd (simd/scalar.h).
//
// fma_to_integer, without: one sum in double instead of the above. p is exact, and 1.5 * 2^52 + an integer
// + p is rounded once, to an integer, since doubles of this size are the integers; ties go to even, as
// they do in float: 1.5 * 2^23 and 1.5 * 2^52 are both even. The low word of the double is the integer, and
// 0x4b400000 + the integer are the bits of the float 1.5 * 2^23 + the integer. A NaN has the low byte 0.
// The default model, plain SIMD, 32 / 128 tokens: 7.25 / 35.5 -> 6.95 / 33.8 ms (Sapphire Rapids, Node
// 24.22, 2026-11-29, interleaved medians).
//
// polynomial, without: its factor is widened once, and doubt is looked for once. Its sums are normal, so only
// those that lie half way between two floats are doubtful.
//
// Tried and dropped: always rounding to odd (six more operations per lane than the two checks).
#ifndef MBRT_SIMD_WASM_SIMD128_H_
#define MBRT_SIMD_WASM_SIMD128_H_

#include <wasm_simd128.h>

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "simd/round_to_odd.h"

namespace mbrt::MBRT_TARGET {

struct f32x16 {
  v128_t q0, q1, q2, q3;  // lanes 0..3, 4..7, 8..11, 12..15
};

struct i32x16 {
  v128_t q0, q1, q2, q3;
};

// Four lanes: what defines the bits.

// pmax(x, y) is x < y ? y : x, pmin(x, y) is y < x ? y : x.
inline v128_t max4(v128_t a, v128_t b) { return wasm_f32x4_pmax(b, a); }
inline v128_t min4(v128_t a, v128_t b) { return wasm_f32x4_pmin(b, a); }

// mask: all ones or all zeros in each lane, for which relaxed_laneselect is exact.
inline v128_t select4(v128_t mask, v128_t x, v128_t y) {
#ifdef __wasm_relaxed_simd__
  return wasm_i32x4_relaxed_laneselect(x, y, mask);
#else
  return wasm_v128_bitselect(x, y, mask);
#endif
}

inline v128_t high_pair(v128_t a) { return wasm_i32x4_shuffle(a, a, 2, 3, 2, 3); }

// Sixteen lanes.

inline f32x16 load(const float* p) {
  return {wasm_v128_load(p), wasm_v128_load(p + 4), wasm_v128_load(p + 8), wasm_v128_load(p + 12)};
}

inline void store(float* p, f32x16 v) {
  wasm_v128_store(p, v.q0);
  wasm_v128_store(p + 4, v.q1);
  wasm_v128_store(p + 8, v.q2);
  wasm_v128_store(p + 12, v.q3);
}

// Through memory: these are tails, once per row.
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
  const v128_t q = wasm_f32x4_splat(x);
  return {q, q, q, q};
}

inline f32x16 zero() { return broadcast(0.0f); }

template <typename Vector, typename F>
inline Vector each_quad(const Vector& a, F f) {
  return {f(a.q0), f(a.q1), f(a.q2), f(a.q3)};
}

template <typename Vector, typename F>
inline Vector each_quad(const Vector& a, const Vector& b, F f) {
  return {f(a.q0, b.q0), f(a.q1, b.q1), f(a.q2, b.q2), f(a.q3, b.q3)};
}

inline f32x16 add(f32x16 a, f32x16 b) { return each_quad(a, b, wasm_f32x4_add); }
inline f32x16 sub(f32x16 a, f32x16 b) { return each_quad(a, b, wasm_f32x4_sub); }
inline f32x16 mul(f32x16 a, f32x16 b) { return each_quad(a, b, wasm_f32x4_mul); }
inline f32x16 div(f32x16 a, f32x16 b) { return each_quad(a, b, wasm_f32x4_div); }
inline f32x16 max(f32x16 a, f32x16 b) { return each_quad(a, b, max4); }
inline f32x16 min(f32x16 a, f32x16 b) { return each_quad(a, b, min4); }
inline f32x16 max_number(f32x16 x, f32x16 m) { return max(x, m); }
inline f32x16 sqrt(f32x16 a) { return each_quad(a, wasm_f32x4_sqrt); }
inline f32x16 abs(f32x16 a) { return each_quad(a, wasm_f32x4_abs); }
inline f32x16 neg(f32x16 a) { return each_quad(a, wasm_f32x4_neg); }

#ifdef __wasm_relaxed_simd__

inline f32x16 fma(f32x16 a, f32x16 b, f32x16 c) {
  return {wasm_f32x4_relaxed_madd(a.q0, b.q0, c.q0), wasm_f32x4_relaxed_madd(a.q1, b.q1, c.q1),
          wasm_f32x4_relaxed_madd(a.q2, b.q2, c.q2), wasm_f32x4_relaxed_madd(a.q3, b.q3, c.q3)};
}

#else

inline v128_t low_doubles(v128_t a) { return wasm_f64x2_promote_low_f32x4(a); }
inline v128_t high_doubles(v128_t a) { return wasm_f64x2_promote_low_f32x4(high_pair(a)); }

// Four sums as floats; doubt gets ones where a sum lies half way between two normal ones.
inline v128_t to_floats(v128_t low, v128_t high, v128_t& doubt) {
  const v128_t low_words = wasm_i32x4_shuffle(low, high, 0, 2, 4, 6);
  const v128_t half_way =
      wasm_i32x4_eq(wasm_i32x4_shl(low_words, 3), wasm_i32x4_const_splat(INT32_MIN));
  doubt = wasm_v128_or(doubt, half_way);
  return wasm_i64x2_shuffle(wasm_f32x4_demote_f64x2_zero(low), wasm_f32x4_demote_f64x2_zero(high),
                            0, 2);
}

// a * b + c, rounded twice; doubt gets ones where that may matter.
inline v128_t fma_twice_rounded(v128_t a, v128_t b, v128_t c, v128_t& doubt) {
  const v128_t low = wasm_f64x2_add(wasm_f64x2_mul(low_doubles(a), low_doubles(b)), low_doubles(c));
  const v128_t high =
      wasm_f64x2_add(wasm_f64x2_mul(high_doubles(a), high_doubles(b)), high_doubles(c));
  const v128_t r = to_floats(low, high, doubt);
  // Bits 1 to 0x7fffff are denormal. The sum below is INT32_MIN + (bits - 1) for those; for 0 it is
  // INT32_MAX, and for others larger than for denormal ones.
  const v128_t size = wasm_v128_and(r, wasm_i32x4_const_splat(INT32_MAX));
  const v128_t denormal = wasm_i32x4_lt(wasm_i32x4_add(size, wasm_i32x4_const_splat(INT32_MAX)),
                                        wasm_i32x4_const_splat(INT32_MIN + 0x7fffff));
  doubt = wasm_v128_or(doubt, denormal);
  return r;
}

__attribute__((noinline, cold)) inline f32x16 fma_by_lanes(const f32x16& a, const f32x16& b,
                                                           const f32x16& c) {
  float x[16], y[16], z[16];
  store(x, a);
  store(y, b);
  store(z, c);
  for (int i = 0; i < 16; ++i) x[i] = fma_rounded_to_odd(x[i], y[i], z[i]);
  return load(x);
}

// 150 instructions: a call where code is compiled for size.
#ifdef __OPTIMIZE_SIZE__
#define MBRT_FMA_INLINE __attribute__((noinline)) inline
#else
#define MBRT_FMA_INLINE inline
#endif

MBRT_FMA_INLINE f32x16 fma(f32x16 a, f32x16 b, f32x16 c) {
  v128_t doubt = wasm_i32x4_const_splat(0);
  const f32x16 r = {
      fma_twice_rounded(a.q0, b.q0, c.q0, doubt), fma_twice_rounded(a.q1, b.q1, c.q1, doubt),
      fma_twice_rounded(a.q2, b.q2, c.q2, doubt), fma_twice_rounded(a.q3, b.q3, c.q3, doubt)};
  if (__builtin_expect(wasm_v128_any_true(doubt), 0)) return fma_by_lanes(a, b, c);
  return r;
}

#undef MBRT_FMA_INLINE

inline v128_t fma_to_integer4(v128_t a, v128_t b, v128_t round) {
  const v128_t low = wasm_f64x2_add(wasm_f64x2_mul(low_doubles(a), low_doubles(b)), round);
  const v128_t high = wasm_f64x2_add(wasm_f64x2_mul(high_doubles(a), high_doubles(b)), round);
  return wasm_i32x4_add(wasm_i32x4_shuffle(low, high, 0, 2, 4, 6),
                        wasm_i32x4_const_splat(0x4b400000));
}

#define MBRT_OWN_FMA_TO_INTEGER

inline f32x16 fma_to_integer(f32x16 a, f32x16 b, const Addend& c) {
  const v128_t round = wasm_f64x2_splat(static_cast<double>(c.eight[0]) + (0x1.8p+52 - 0x1.8p+23));
  return {fma_to_integer4(a.q0, b.q0, round), fma_to_integer4(a.q1, b.q1, round),
          fma_to_integer4(a.q2, b.q2, round), fma_to_integer4(a.q3, b.q3, round)};
}

#endif  // __wasm_relaxed_simd__

inline f32x16 fma(f32x16 a, f32x16 b, const Addend& c) { return fma(a, b, broadcast(c.eight[0])); }

#ifndef __wasm_relaxed_simd__

#define MBRT_OWN_POLYNOMIAL

__attribute__((noinline, cold)) inline f32x16 polynomial_by_fma(const f32x16& f, float c4,
                                                                const Addend* c3_to_c0) {
  f32x16 p = broadcast(c4);
  for (int i = 0; i < 4; ++i) p = fma(p, f, c3_to_c0[i]);
  return p;
}

inline v128_t polynomial4(v128_t f, float c4, const Addend* c3_to_c0, v128_t& doubt) {
  const v128_t low_f = low_doubles(f), high_f = high_doubles(f);
  v128_t low = wasm_f64x2_splat(c4), high = low, p;
  for (int i = 0; i < 4; ++i) {
    const v128_t c = wasm_f64x2_splat(c3_to_c0[i].eight[0]);
    p = to_floats(wasm_f64x2_add(wasm_f64x2_mul(low, low_f), c),
                  wasm_f64x2_add(wasm_f64x2_mul(high, high_f), c), doubt);
    low = low_doubles(p);
    high = high_doubles(p);
  }
  return p;
}

inline f32x16 polynomial(f32x16 f, float c4, const Addend& c3, const Addend& c2, const Addend& c1,
                         const Addend& c0) {
  const Addend c[] = {c3, c2, c1, c0};
  v128_t doubt = wasm_i32x4_const_splat(0);
  const f32x16 p = {polynomial4(f.q0, c4, c, doubt), polynomial4(f.q1, c4, c, doubt),
                    polynomial4(f.q2, c4, c, doubt), polynomial4(f.q3, c4, c, doubt)};
  if (__builtin_expect(wasm_v128_any_true(doubt), 0)) return polynomial_by_fma(f, c4, c);
  return p;
}

#endif  // __wasm_relaxed_simd__

inline v128_t select_gt4(v128_t a, v128_t b, v128_t x, v128_t y) {
  return select4(wasm_f32x4_gt(a, b), x, y);
}

inline f32x16 select_gt(f32x16 a, f32x16 b, f32x16 x, f32x16 y) {
  return {select_gt4(a.q0, b.q0, x.q0, y.q0), select_gt4(a.q1, b.q1, x.q1, y.q1),
          select_gt4(a.q2, b.q2, x.q2, y.q2), select_gt4(a.q3, b.q3, x.q3, y.q3)};
}

inline float reduce_add(f32x16 a) {
  const v128_t four = wasm_f32x4_add(wasm_f32x4_add(a.q0, a.q2), wasm_f32x4_add(a.q1, a.q3));
  const v128_t two = wasm_f32x4_add(four, high_pair(four));
  return wasm_f32x4_extract_lane(two, 0) + wasm_f32x4_extract_lane(two, 1);
}

inline float reduce_max(f32x16 a) {
  const v128_t four = max4(max4(a.q0, a.q2), max4(a.q1, a.q3));
  const v128_t two = max4(four, high_pair(four));
  const float x = wasm_f32x4_extract_lane(two, 0), y = wasm_f32x4_extract_lane(two, 1);
  return x > y ? x : y;
}

inline f32x16 to_f32(i32x16 a) {
  return {wasm_f32x4_convert_i32x4(a.q0), wasm_f32x4_convert_i32x4(a.q1),
          wasm_f32x4_convert_i32x4(a.q2), wasm_f32x4_convert_i32x4(a.q3)};
}
inline i32x16 bits(f32x16 a) { return {a.q0, a.q1, a.q2, a.q3}; }
inline f32x16 from_bits(i32x16 a) { return {a.q0, a.q1, a.q2, a.q3}; }

inline i32x16 broadcast_i32(std::int32_t x) {
  const v128_t q = wasm_i32x4_splat(x);
  return {q, q, q, q};
}
inline i32x16 add(i32x16 a, i32x16 b) { return each_quad(a, b, wasm_i32x4_add); }
inline i32x16 shift_left_23(i32x16 a) {
  return each_quad(a, [](v128_t q) { return wasm_i32x4_shl(q, 23); });
}

inline i32x16 load_i32(const std::int32_t* p) {
  return {wasm_v128_load(p), wasm_v128_load(p + 4), wasm_v128_load(p + 8), wasm_v128_load(p + 12)};
}

inline i32x16 load_s8(const std::int8_t* p) {
  const v128_t low = wasm_i16x8_load8x8(p), high = wasm_i16x8_load8x8(p + 8);
  return {wasm_i32x4_extend_low_i16x8(low), wasm_i32x4_extend_high_i16x8(low),
          wasm_i32x4_extend_low_i16x8(high), wasm_i32x4_extend_high_i16x8(high)};
}

// Narrowing saturates: the low bytes go through it as 0 .. 255.
inline void store_low_bytes(std::uint8_t* p, i32x16 a) {
  const auto low_byte = [](v128_t q) { return wasm_v128_and(q, wasm_i32x4_const_splat(0xff)); };
  const v128_t low = wasm_i16x8_narrow_i32x4(low_byte(a.q0), low_byte(a.q1));
  const v128_t high = wasm_i16x8_narrow_i32x4(low_byte(a.q2), low_byte(a.q3));
  wasm_v128_store(p, wasm_u8x16_narrow_i16x8(low, high));
}

// Running maxima in four lanes: folding the other vectors at once needs no extra instruction and frees
// three registers.

struct f32max {
  v128_t q;
};
struct i32max {
  v128_t q;
};

inline f32max broadcast_max(float x) { return {wasm_f32x4_splat(x)}; }
inline i32max broadcast_max_i32(std::int32_t x) { return {wasm_i32x4_splat(x)}; }

// One after the other: the second operand must not be a NaN.
inline f32max max_number(f32x16 x, f32max m) {
  return {max4(x.q0, max4(x.q1, max4(x.q2, max4(x.q3, m.q))))};
}

inline i32max max_signed(i32max a, i32max b) { return {wasm_i32x4_max(a.q, b.q)}; }
inline i32max max_unsigned(i32max a, i32max b) { return {wasm_u32x4_max(a.q, b.q)}; }
inline i32max max_signed(i32x16 a, i32max m) {
  return {
      wasm_i32x4_max(wasm_i32x4_max(wasm_i32x4_max(a.q0, a.q1), wasm_i32x4_max(a.q2, a.q3)), m.q)};
}
inline i32max max_unsigned(i32x16 a, i32max m) {
  return {
      wasm_u32x4_max(wasm_u32x4_max(wasm_u32x4_max(a.q0, a.q1), wasm_u32x4_max(a.q2, a.q3)), m.q)};
}

inline float reduce_max(f32max m) { return reduce_max(f32x16{m.q, m.q, m.q, m.q}); }

inline std::int32_t reduce_max_signed(i32max m) {
  const v128_t two = wasm_i32x4_max(m.q, high_pair(m.q));
  const v128_t one = wasm_i32x4_max(two, wasm_i32x4_shuffle(two, two, 1, 1, 1, 1));
  return wasm_i32x4_extract_lane(one, 0);
}

inline std::int32_t reduce_max_unsigned(i32max m) {
  const v128_t two = wasm_u32x4_max(m.q, high_pair(m.q));
  const v128_t one = wasm_u32x4_max(two, wasm_i32x4_shuffle(two, two, 1, 1, 1, 1));
  return wasm_i32x4_extract_lane(one, 0);
}

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_SIMD_WASM_SIMD128_H_
