// activation: y = f(x) * scale, in place on a panel that is in cache; one pass.
//
//   relu       x > 0 ? x : 0        after a product it is an epilogue instead
//   gelu       0.5 x (1 + erf(x / sqrt 2))
//   gelu_tanh  0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))
//   relu6      min(max(x, 0), 6)
//   silu       x / (1 + exp(-x))
//   tanh       tanh(x)
// kernels/math/ has the exact sequence of operations of each.
#ifndef MBRT_KERNELS_ACTIVATION_ACTIVATION_H_
#define MBRT_KERNELS_ACTIVATION_ACTIVATION_H_

#include <cstddef>

#include "kernels/kernels.inc"

namespace mbrt {

enum class Activation : int {
#define MBRT_ENUMERATOR(enumerator, name) enumerator,
  MBRT_ACTIVATIONS(MBRT_ENUMERATOR)
#undef MBRT_ENUMERATOR
};
#define MBRT_COUNT(enumerator, name) +1
inline constexpr int kActivationCount = MBRT_ACTIVATIONS(MBRT_COUNT);
#undef MBRT_COUNT

struct Activate {
  std::size_t rows;
  std::size_t n;         // a multiple of 16
  float* x;              // [rows][x_stride]
  std::size_t x_stride;  // floats
  const float* scale;    // [n], or null for 1
};

}  // namespace mbrt

#endif  // MBRT_KERNELS_ACTIVATION_ACTIVATION_H_
