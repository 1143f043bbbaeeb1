// The machine's peak for micro-benchmarks: the multiply-accumulate step of a kernel on independent
// accumulators, with no loads, stores or epilogue.
//
// Each gemm file defines, in the namespace of its target, the peak of its own multiply instructions:
//
//   std::size_t peak_s8(std::size_t iterations);    in gemm_s8/<isa>.cc
//   std::size_t peak_f32(std::size_t iterations);   in gemm_f32/<isa>.cc
//
// Both return the number of multiply-accumulates done, one per product of two elements; the caller
// measures the time.
#ifndef MBRT_KERNELS_PEAK_H_
#define MBRT_KERNELS_PEAK_H_

#include <cstddef>

#include "kernels/unroll.h"

namespace mbrt::MBRT_TARGET {

// `iterations` times acc = step(acc) on kCount accumulators, enough of them to hide the latency of
// a step.
template <int kCount, typename Accumulator, typename Step>
MBRT_INLINE inline std::size_t run_peak(std::size_t iterations, std::size_t macs_per_step,
                                        Accumulator start, Step step) {
  Accumulator starts[kCount];
  unroll<kCount>([&](auto j) MBRT_INLINE { starts[j] = start; });
  // Without this the compiler knows that all are equal, and computes one of them.
  asm volatile("" : : "r"(starts) : "memory");
  Accumulator acc[kCount];
  unroll<kCount>([&](auto j) MBRT_INLINE { acc[j] = starts[j]; });
  for (std::size_t i = 0; i < iterations; ++i) {
    unroll<kCount>([&](auto j) MBRT_INLINE { acc[j] = step(acc[j]); });
  }
  Accumulator seen[kCount];
  unroll<kCount>([&](auto j) MBRT_INLINE { seen[j] = acc[j]; });
  asm volatile("" : : "r"(seen) : "memory");  // keeps the sums alive
  return iterations * macs_per_step * kCount;
}

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_KERNELS_PEAK_H_
