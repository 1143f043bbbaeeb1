// Compiled with relaxed SIMD. Whether relaxed_madd rounds once or twice is the same for the life of an
// instance.
#include <wasm_simd128.h>

#include "base/cpu_features.h"

namespace mbrt {

// (1 + 2^-23)^2 - (1 + 2^-22) is 2^-46 rounded once, and 0 if the product is rounded to a float first.
CpuFeatures detect_cpu_features() {
  volatile float x = 0x1.000002p+0f, y = -0x1.000004p+0f;
  const v128_t factor = wasm_f32x4_splat(x);
  const v128_t r = wasm_f32x4_relaxed_madd(factor, factor, wasm_f32x4_splat(y));
  return {.relaxed_fma = wasm_f32x4_extract_lane(r, 0) == 0x1p-46f};
}

}  // namespace mbrt
