// gemm_s8_6x16_avxvnni: six rows times 16 columns of int8 weights by 256-bit vpdpbusd (x86_vnni.h),
// exact int32 sums.
//
// For CPUs with AVX-VNNI and no AVX-512 (Alder Lake and later). A row of weights is two registers of
// 8 columns x 4 k. Registers: 12 accumulators, 2 weights, 1 broadcast of four activations; 1 free.
// Twelve are enough for two multipliers of latency 5.
//
// Prefetches as the AVX2 and AVX-512 kernels do. Not measured.
#include "kernels/gemm_s8/x86_vnni.h"

// A test for CPUs without the instruction compiles this file with an exact emulation of it.
#ifndef MBRT_DPBUSD
#define MBRT_DPBUSD _mm256_dpbusd_avx_epi32
#endif

namespace mbrt::MBRT_TARGET {
namespace {

struct Dot {
  MBRT_INLINE void operator()(i32x16& acc, i32x16 four, i32x16 w) const {
    acc.lo = lanes(MBRT_DPBUSD(raw(acc.lo), raw(four.lo), raw(w.lo)));
    acc.hi = lanes(MBRT_DPBUSD(raw(acc.hi), raw(four.hi), raw(w.hi)));
  }
};

}  // namespace

void gemm_s8(const GemmS8& g) { run_tiles<VnniTile<Dot, 6, 1>>(g); }

std::size_t peak_s8(std::size_t iterations) { return peak_vnni<Dot, 6>(iterations); }

}  // namespace mbrt::MBRT_TARGET
