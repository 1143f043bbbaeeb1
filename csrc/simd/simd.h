// The 16 virtual lanes that every float operation is written against.
//
// A kernel source is compiled once per target, with MBRT_TARGET as its namespace (scalar, avx2,
// avxvnni, avx512, avx512vnni, neon, dotprod, i8mm, wasm_simd128, wasm_relaxed, wasm_relaxed_sdot,
// wasm_relaxed_udot) and the compiler flags of that target. This header selects the implementation of f32x16 by those flags.
// Every implementation gives the same bits for the same inputs: 16 lanes are one AVX-512 register, two
// AVX2 registers, four NEON or WebAssembly vectors or an array; only IEEE operations are used (add, sub,
// mul, div, sqrt, fused multiply-add), and folds always go 16 -> 8 -> 4 -> 2 -> 1.
//
// Every implementation provides, in namespace mbrt::MBRT_TARGET:
//
//   f32x16, i32x16                  the vector types, passed by value
//   load(p) store(p, v)             16 floats, any alignment
//   load_partial(p, n)              first n floats (0 <= n <= 16), the other lanes +0
//   store_partial(p, n, v)          first n floats, nothing after them
//   broadcast(x) zero()             f32x16
//   add sub mul div                 in each lane
//   fma(a, b, c)                    a * b + c, rounded once; c may be an Addend
//   fma_to_integer(a, b, c)         fma(a, b, c) for a * b within 2^20 and c = 1.5 * 2^23 + an integer
//                                   within 2^20. If a or b is not finite only the low byte of the result
//                                   is that of fma, and only for NaNs as arithmetic makes them
//   polynomial(f, c4, c3, ... c0)   fma(fma(fma(fma(c4, f, c3), f, c2), f, c1), f, c0), of whose sums none is
//                                   zero, denormal or infinite; the last four are Addends
//   sqrt(a) abs(a) neg(a)
//   max(a, b) = a > b ? a : b       a NaN in either gives b; max(-0, +0) = +0
//   min(a, b) = a < b ? a : b
//   max_number(x, m)                the same if m is not a NaN; a zero may have either sign
//   f32max, i32max                  running maxima, in as many lanes as suit the ISA
//   broadcast_max(x)                f32max; broadcast_max_i32(x) gives an i32max
//   max_number(x, f32max)           also max_signed and max_unsigned of i32x16 or i32max and i32max
//   reduce_max(f32max)              a float, a zero with either sign; also those of i32max
//   select_gt(a, b, x, y)           a > b ? x : y
//   reduce_add(a) reduce_max(a)     a float; lane j + 8 is folded into lane j, then + 4, + 2, + 1
//   to_f32(i32x16)                  rounds to nearest even
//   bits(f32x16) from_bits(i32x16)  reinterpretation
//   max_signed(a, b) max_unsigned(a, b)        of i32x16
//   reduce_max_signed(a) reduce_max_unsigned(a)  an int32
//   broadcast_i32(x) add(i32x16, i32x16) shift_left_23(i32x16)
//   load_i32(p) load_s8(p)          16 int32; 16 int8 widened to int32
//   store_low_bytes(p, i32x16)      the low byte of each lane, 16 bytes
#ifndef MBRT_SIMD_SIMD_H_
#define MBRT_SIMD_SIMD_H_

#ifndef MBRT_TARGET
#error "simd.h: MBRT_TARGET is not defined; it must be the target's name"
#endif

namespace mbrt::MBRT_TARGET {

// A number in all lanes, as the addend of fma. On ARM, where fma overwrites its addend, it is loaded
// from memory each time, which costs less than copying a register.
struct alignas(32) Addend {
  float eight[8];
};

constexpr Addend addend(float x) { return {{x, x, x, x, x, x, x, x}}; }

}  // namespace mbrt::MBRT_TARGET

#if defined(MBRT_TARGET_SCALAR)
#include "simd/scalar.h"
#elif defined(__AVX512F__)
#include "simd/x86_avx512.h"
#elif defined(__AVX2__) && defined(__FMA__)
#include "simd/x86_avx2.h"
#elif defined(__ARM_NEON)
#include "simd/arm_neon.h"
#elif defined(__wasm_simd128__)
#include "simd/wasm_simd128.h"
#else
#error "simd.h: no f32x16 for these compiler flags"
#endif

#ifndef MBRT_OWN_FMA_TO_INTEGER
namespace mbrt::MBRT_TARGET {

template <typename C>
inline f32x16 fma_to_integer(f32x16 a, f32x16 b, const C& c) {
  return fma(a, b, c);
}

}  // namespace mbrt::MBRT_TARGET
#endif

#ifndef MBRT_OWN_POLYNOMIAL
namespace mbrt::MBRT_TARGET {

inline f32x16 polynomial(f32x16 f, float c4, const Addend& c3, const Addend& c2, const Addend& c1,
                         const Addend& c0) {
  return fma(fma(fma(fma(broadcast(c4), f, c3), f, c2), f, c1), f, c0);
}

}  // namespace mbrt::MBRT_TARGET
#endif

#endif  // MBRT_SIMD_SIMD_H_
