// unroll<kN>(f): f(0), f(1), ..., f(kN - 1), with constants as arguments.
//
// The compiler keeps an array of accumulators in registers only if its indices are constants early
// enough. A loop with a constant bound is not enough: gcc 12 and clang 19 decide about the array
// before they unroll, with or without a pragma, and store every accumulator in every iteration.
#ifndef MBRT_KERNELS_UNROLL_H_
#define MBRT_KERNELS_UNROLL_H_

#include <cstddef>
#include <utility>

// Also for lambdas: unroll<4>([&](auto i) MBRT_INLINE { ... })
#define MBRT_INLINE __attribute__((always_inline))

namespace mbrt::MBRT_TARGET {

template <std::size_t kI>
using Constant = std::integral_constant<std::size_t, kI>;

template <typename F, std::size_t... kI>
MBRT_INLINE inline void call_each(F&& f, std::index_sequence<kI...>) {
  (f(Constant<kI>{}), ...);
}

template <int kN, typename F>
MBRT_INLINE inline void unroll(F&& f) {
  call_each(f, std::make_index_sequence<kN>{});
}

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_KERNELS_UNROLL_H_
