// Activations: y = f(x) * scale in place, one source for every target.
//
// Each f is a function of one f32x16 (kernels/math); this file adds the loops over rows and
// columns. Whether there is a scale is tested once per call, outside the loops.
#include "kernels/activation/activation.h"

#include "kernels/math/gates.h"
#include "kernels/math/tanh.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {
namespace {

inline f32x16 relu(f32x16 x) { return max(x, zero()); }
inline f32x16 relu6(f32x16 x) { return min(relu(x), broadcast(6.0f)); }

template <f32x16 (*f)(f32x16), bool kScaled>
void each_row(const Activate& a) {
  for (std::size_t row = 0; row < a.rows; ++row) {
    float* const x = a.x + row * a.x_stride;
    for (std::size_t i = 0; i < a.n; i += 16) {
      f32x16 y = f(load(x + i));
      if constexpr (kScaled) y = mul(y, load(a.scale + i));
      store(x + i, y);
    }
  }
}

template <f32x16 (*f)(f32x16)>
void activate(const Activate& a) {
  if (a.scale != nullptr) {
    each_row<f, true>(a);
  } else {
    each_row<f, false>(a);
  }
}

}  // namespace

void activate_relu(const Activate& a) { activate<relu>(a); }
void activate_gelu(const Activate& a) { activate<gelu_erf>(a); }
void activate_gelu_tanh(const Activate& a) { activate<gelu_tanh>(a); }
void activate_relu6(const Activate& a) { activate<relu6>(a); }
void activate_silu(const Activate& a) { activate<silu>(a); }
void activate_tanh(const Activate& a) { activate<tanh>(a); }

}  // namespace mbrt::MBRT_TARGET
