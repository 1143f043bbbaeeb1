// f32x16 as one AVX-512 register (F, BW, VL, DQ).
#ifndef MBRT_SIMD_X86_AVX512_H_
#define MBRT_SIMD_X86_AVX512_H_

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <immintrin.h>
#pragma GCC diagnostic pop
#else
#include <immintrin.h>
#endif

#include <cstddef>
#include <cstdint>

namespace mbrt::MBRT_TARGET {

struct f32x16 {
  __m512 v;
};

// A vector of 32-bit integers, not __m512i, whose elements are 64-bit integers: gcc 12 keeps the
// two types in different registers across a loop, and would move and spill an accumulator at each
// use.
struct i32x16 {
  __v16si v;
};

inline __m512i raw(i32x16 a) { return reinterpret_cast<__m512i>(a.v); }
inline i32x16 lanes(__m512i v) { return {reinterpret_cast<__v16si>(v)}; }

inline __mmask16 first_lanes(std::size_t n) { return static_cast<__mmask16>((1u << n) - 1u); }

inline f32x16 load(const float* p) { return {_mm512_loadu_ps(p)}; }
// Two halves: on Zen 4 a store of 64 bytes costs the multipliers 1.6 cycles, two of 32 bytes 0.6.
inline void store(float* p, f32x16 v) {
  _mm256_storeu_ps(p, _mm512_castps512_ps256(v.v));
  _mm256_storeu_ps(p + 8, _mm512_extractf32x8_ps(v.v, 1));
}
inline f32x16 load_partial(const float* p, std::size_t n) {
  return {_mm512_maskz_loadu_ps(first_lanes(n), p)};
}
inline void store_partial(float* p, std::size_t n, f32x16 v) {
  _mm512_mask_storeu_ps(p, first_lanes(n), v.v);
}
inline f32x16 broadcast(float x) { return {_mm512_set1_ps(x)}; }
inline f32x16 zero() { return {_mm512_setzero_ps()}; }

inline f32x16 add(f32x16 a, f32x16 b) { return {_mm512_add_ps(a.v, b.v)}; }
inline f32x16 sub(f32x16 a, f32x16 b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline f32x16 mul(f32x16 a, f32x16 b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline f32x16 div(f32x16 a, f32x16 b) { return {_mm512_div_ps(a.v, b.v)}; }
inline f32x16 fma(f32x16 a, f32x16 b, f32x16 c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline f32x16 fma(f32x16 a, f32x16 b, const Addend& c) { return fma(a, b, broadcast(c.eight[0])); }
inline f32x16 sqrt(f32x16 a) { return {_mm512_sqrt_ps(a.v)}; }
inline f32x16 abs(f32x16 a) { return {_mm512_andnot_ps(_mm512_set1_ps(-0.0f), a.v)}; }
inline f32x16 neg(f32x16 a) { return {_mm512_xor_ps(_mm512_set1_ps(-0.0f), a.v)}; }

// MAXPS and MINPS return their second operand when either is a NaN or both are zeros: the
// contract's a > b ? a : b.
inline f32x16 max(f32x16 a, f32x16 b) { return {_mm512_max_ps(a.v, b.v)}; }
inline f32x16 min(f32x16 a, f32x16 b) { return {_mm512_min_ps(a.v, b.v)}; }
inline f32x16 max_number(f32x16 x, f32x16 m) { return max(x, m); }
inline f32x16 select_gt(f32x16 a, f32x16 b, f32x16 x, f32x16 y) {
  return {_mm512_mask_blend_ps(_mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ), y.v, x.v)};
}

inline float reduce_add(f32x16 a) {
  const __m256 h8 = _mm256_add_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
  const __m128 h4 = _mm_add_ps(_mm256_castps256_ps128(h8), _mm256_extractf128_ps(h8, 1));
  const __m128 h2 = _mm_add_ps(h4, _mm_movehl_ps(h4, h4));
  return _mm_cvtss_f32(_mm_add_ss(h2, _mm_movehdup_ps(h2)));
}
inline float reduce_max(f32x16 a) {
  const __m256 h8 = _mm256_max_ps(_mm512_castps512_ps256(a.v), _mm512_extractf32x8_ps(a.v, 1));
  const __m128 h4 = _mm_max_ps(_mm256_castps256_ps128(h8), _mm256_extractf128_ps(h8, 1));
  const __m128 h2 = _mm_max_ps(h4, _mm_movehl_ps(h4, h4));
  return _mm_cvtss_f32(_mm_max_ss(h2, _mm_movehdup_ps(h2)));
}

inline f32x16 to_f32(i32x16 a) { return {_mm512_cvtepi32_ps(raw(a))}; }
inline i32x16 bits(f32x16 a) { return lanes(_mm512_castps_si512(a.v)); }
inline f32x16 from_bits(i32x16 a) { return {_mm512_castsi512_ps(raw(a))}; }
inline i32x16 broadcast_i32(std::int32_t x) { return lanes(_mm512_set1_epi32(x)); }
inline i32x16 add(i32x16 a, i32x16 b) { return lanes(_mm512_add_epi32(raw(a), raw(b))); }
inline i32x16 max_signed(i32x16 a, i32x16 b) { return lanes(_mm512_max_epi32(raw(a), raw(b))); }
inline i32x16 max_unsigned(i32x16 a, i32x16 b) { return lanes(_mm512_max_epu32(raw(a), raw(b))); }
inline std::int32_t reduce_max_signed(i32x16 a) {
  const __m256i h8 =
      _mm256_max_epi32(_mm512_castsi512_si256(raw(a)), _mm512_extracti64x4_epi64(raw(a), 1));
  const __m128i h4 = _mm_max_epi32(_mm256_castsi256_si128(h8), _mm256_extracti128_si256(h8, 1));
  const __m128i h2 = _mm_max_epi32(h4, _mm_shuffle_epi32(h4, 0x4e));
  return _mm_cvtsi128_si32(_mm_max_epi32(h2, _mm_shuffle_epi32(h2, 0xb1)));
}
inline std::int32_t reduce_max_unsigned(i32x16 a) {
  const __m256i h8 =
      _mm256_max_epu32(_mm512_castsi512_si256(raw(a)), _mm512_extracti64x4_epi64(raw(a), 1));
  const __m128i h4 = _mm_max_epu32(_mm256_castsi256_si128(h8), _mm256_extracti128_si256(h8, 1));
  const __m128i h2 = _mm_max_epu32(h4, _mm_shuffle_epi32(h4, 0x4e));
  return _mm_cvtsi128_si32(_mm_max_epu32(h2, _mm_shuffle_epi32(h2, 0xb1)));
}
inline i32x16 shift_left_23(i32x16 a) { return lanes(_mm512_slli_epi32(raw(a), 23)); }
inline i32x16 load_i32(const std::int32_t* p) { return lanes(_mm512_loadu_si512(p)); }
inline i32x16 load_s8(const std::int8_t* p) {
  return lanes(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
}
inline void store_low_bytes(std::uint8_t* p, i32x16 v) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(raw(v)));
}

using f32max = f32x16;
using i32max = i32x16;
inline f32max broadcast_max(float x) { return broadcast(x); }
inline i32max broadcast_max_i32(std::int32_t x) { return broadcast_i32(x); }

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_SIMD_X86_AVX512_H_
