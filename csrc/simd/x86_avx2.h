// f32x16 as two AVX2 registers, with FMA.
#ifndef MBRT_SIMD_X86_AVX2_H_
#define MBRT_SIMD_X86_AVX2_H_

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace mbrt::MBRT_TARGET {

struct f32x16 {
  __m256 lo, hi;  // lanes 0..7, 8..15
};

// Vectors of 32-bit integers, not __m256i, whose elements are 64-bit integers: gcc 12 keeps the
// two types in different registers across a loop, and would move and spill an accumulator at each
// use.
struct i32x16 {
  __v8si lo, hi;
};

inline __m256i raw(__v8si v) { return reinterpret_cast<__m256i>(v); }
inline __v8si lanes(__m256i v) { return reinterpret_cast<__v8si>(v); }

// All ones in the first n of 8 lanes; n may be more than 8 or less than 0.
inline __m256i first_lanes(int n) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lane);
}

inline f32x16 load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
inline void store(float* p, f32x16 v) {
  _mm256_storeu_ps(p, v.lo);
  _mm256_storeu_ps(p + 8, v.hi);
}
inline f32x16 load_partial(const float* p, std::size_t n) {
  const int lanes = static_cast<int>(n);
  return {_mm256_maskload_ps(p, first_lanes(lanes)),
          _mm256_maskload_ps(p + 8, first_lanes(lanes - 8))};
}
inline void store_partial(float* p, std::size_t n, f32x16 v) {
  const int lanes = static_cast<int>(n);
  _mm256_maskstore_ps(p, first_lanes(lanes), v.lo);
  _mm256_maskstore_ps(p + 8, first_lanes(lanes - 8), v.hi);
}
inline f32x16 broadcast(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
inline f32x16 zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }

inline f32x16 add(f32x16 a, f32x16 b) {
  return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)};
}
inline f32x16 sub(f32x16 a, f32x16 b) {
  return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)};
}
inline f32x16 mul(f32x16 a, f32x16 b) {
  return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)};
}
inline f32x16 div(f32x16 a, f32x16 b) {
  return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)};
}
inline f32x16 fma(f32x16 a, f32x16 b, f32x16 c) {
  return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)};
}
inline f32x16 fma(f32x16 a, f32x16 b, const Addend& c) { return fma(a, b, broadcast(c.eight[0])); }
inline f32x16 sqrt(f32x16 a) { return {_mm256_sqrt_ps(a.lo), _mm256_sqrt_ps(a.hi)}; }
inline f32x16 abs(f32x16 a) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_andnot_ps(sign, a.lo), _mm256_andnot_ps(sign, a.hi)};
}
inline f32x16 neg(f32x16 a) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  return {_mm256_xor_ps(sign, a.lo), _mm256_xor_ps(sign, a.hi)};
}

// MAXPS and MINPS return their second operand when either is a NaN or both are zeros: the
// contract's a > b ? a : b.
inline f32x16 max(f32x16 a, f32x16 b) {
  return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)};
}
inline f32x16 min(f32x16 a, f32x16 b) {
  return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)};
}
inline f32x16 max_number(f32x16 x, f32x16 m) { return max(x, m); }
inline f32x16 select_gt(f32x16 a, f32x16 b, f32x16 x, f32x16 y) {
  return {_mm256_blendv_ps(y.lo, x.lo, _mm256_cmp_ps(a.lo, b.lo, _CMP_GT_OQ)),
          _mm256_blendv_ps(y.hi, x.hi, _mm256_cmp_ps(a.hi, b.hi, _CMP_GT_OQ))};
}

inline float reduce_add(f32x16 a) {
  const __m256 h8 = _mm256_add_ps(a.lo, a.hi);
  const __m128 h4 = _mm_add_ps(_mm256_castps256_ps128(h8), _mm256_extractf128_ps(h8, 1));
  const __m128 h2 = _mm_add_ps(h4, _mm_movehl_ps(h4, h4));
  return _mm_cvtss_f32(_mm_add_ss(h2, _mm_movehdup_ps(h2)));
}
inline float reduce_max(f32x16 a) {
  const __m256 h8 = _mm256_max_ps(a.lo, a.hi);
  const __m128 h4 = _mm_max_ps(_mm256_castps256_ps128(h8), _mm256_extractf128_ps(h8, 1));
  const __m128 h2 = _mm_max_ps(h4, _mm_movehl_ps(h4, h4));
  return _mm_cvtss_f32(_mm_max_ss(h2, _mm_movehdup_ps(h2)));
}

inline f32x16 to_f32(i32x16 a) {
  return {_mm256_cvtepi32_ps(raw(a.lo)), _mm256_cvtepi32_ps(raw(a.hi))};
}
inline i32x16 bits(f32x16 a) {
  return {lanes(_mm256_castps_si256(a.lo)), lanes(_mm256_castps_si256(a.hi))};
}
inline f32x16 from_bits(i32x16 a) {
  return {_mm256_castsi256_ps(raw(a.lo)), _mm256_castsi256_ps(raw(a.hi))};
}
inline i32x16 broadcast_i32(std::int32_t x) {
  return {lanes(_mm256_set1_epi32(x)), lanes(_mm256_set1_epi32(x))};
}
inline i32x16 add(i32x16 a, i32x16 b) {
  return {lanes(_mm256_add_epi32(raw(a.lo), raw(b.lo))),
          lanes(_mm256_add_epi32(raw(a.hi), raw(b.hi)))};
}
inline i32x16 max_signed(i32x16 a, i32x16 b) {
  return {lanes(_mm256_max_epi32(raw(a.lo), raw(b.lo))),
          lanes(_mm256_max_epi32(raw(a.hi), raw(b.hi)))};
}
inline i32x16 max_unsigned(i32x16 a, i32x16 b) {
  return {lanes(_mm256_max_epu32(raw(a.lo), raw(b.lo))),
          lanes(_mm256_max_epu32(raw(a.hi), raw(b.hi)))};
}
inline std::int32_t reduce_max_signed(i32x16 a) {
  const __m256i h8 = _mm256_max_epi32(raw(a.lo), raw(a.hi));
  const __m128i h4 = _mm_max_epi32(_mm256_castsi256_si128(h8), _mm256_extracti128_si256(h8, 1));
  const __m128i h2 = _mm_max_epi32(h4, _mm_shuffle_epi32(h4, 0x4e));
  return _mm_cvtsi128_si32(_mm_max_epi32(h2, _mm_shuffle_epi32(h2, 0xb1)));
}
inline std::int32_t reduce_max_unsigned(i32x16 a) {
  const __m256i h8 = _mm256_max_epu32(raw(a.lo), raw(a.hi));
  const __m128i h4 = _mm_max_epu32(_mm256_castsi256_si128(h8), _mm256_extracti128_si256(h8, 1));
  const __m128i h2 = _mm_max_epu32(h4, _mm_shuffle_epi32(h4, 0x4e));
  return _mm_cvtsi128_si32(_mm_max_epu32(h2, _mm_shuffle_epi32(h2, 0xb1)));
}
inline i32x16 shift_left_23(i32x16 a) {
  return {lanes(_mm256_slli_epi32(raw(a.lo), 23)), lanes(_mm256_slli_epi32(raw(a.hi), 23))};
}
inline i32x16 load_i32(const std::int32_t* p) {
  const auto* v = reinterpret_cast<const __m256i*>(p);
  return {lanes(_mm256_loadu_si256(v)), lanes(_mm256_loadu_si256(v + 1))};
}
inline i32x16 load_s8(const std::int8_t* p) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return {lanes(_mm256_cvtepi8_epi32(bytes)),
          lanes(_mm256_cvtepi8_epi32(_mm_unpackhi_epi64(bytes, bytes)))};
}
inline void store_low_bytes(std::uint8_t* p, i32x16 v) {
  const __m256i low = _mm256_set1_epi32(0xff);
  const __m256i words =
      _mm256_packus_epi32(_mm256_and_si256(raw(v.lo), low), _mm256_and_si256(raw(v.hi), low));
  const __m256i bytes = _mm256_packus_epi16(words, words);  // lanes 0-3, 8-11 | 4-7, 12-15, twice
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 0, 4, 1, 5);
  const __m256i packed = _mm256_permutevar8x32_epi32(bytes, order);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_castsi256_si128(packed));
}

using f32max = f32x16;
using i32max = i32x16;
inline f32max broadcast_max(float x) { return broadcast(x); }
inline i32max broadcast_max_i32(std::int32_t x) { return broadcast_i32(x); }

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_SIMD_X86_AVX2_H_
