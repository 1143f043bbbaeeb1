// gemm_f32_1x16_scalar: the formula of gemm_f32.h as three loops. Every other gemm_f32 must give the
// same bits.
//
// It shares neither the driver nor the epilogue with the other kernels, so that tests against it
// find a bug in those.
#include <cstddef>
#include <cstdint>

#include "kernels/gemm_f32/gemm_f32.h"
#include "kernels/peak.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {
namespace {

constexpr std::size_t kBlock = 16;

float finish(const GemmF32& g, std::size_t m, std::size_t n, float acc) {
  if (g.epilogue == Epilogue::kProduct) return acc;
  const float x = acc + g.bias[n];
  if (g.epilogue == Epilogue::kRelu) return x > 0.0f ? x : 0.0f;
  if (g.epilogue == Epilogue::kLinear) return x;
  return fused_multiply_add(g.residual[m * g.residual_stride + n], g.residual_scale[n], x);
}

}  // namespace

void gemm_f32(const GemmF32& g) {
  for (std::size_t m = 0; m < g.m; ++m) {
    const float* a = g.a + m * g.a_stride;
    for (std::size_t n = 0; n < g.n; n += kBlock) {
      const float* w = g.w + n / kBlock * g.panel_stride;
      float acc[kBlock] = {};
      for (std::size_t k = 0; k < g.k; ++k) {
        for (std::size_t j = 0; j < kBlock; ++j) {
          acc[j] = fused_multiply_add(a[k], w[k * kBlock + j], acc[j]);
        }
      }
      for (std::size_t j = 0; j < kBlock; ++j) {
        g.out[m * g.out_stride + n + j] = finish(g, m, n + j, acc[j]);
      }
    }
  }
}

std::size_t peak_f32(std::size_t iterations) {
  const auto a = static_cast<float>(iterations);
  const auto step = [a](float acc) { return fused_multiply_add(acc, a, 1.0f); };
  return run_peak<8>(iterations, 1, 1.0f / a, step);
}

}  // namespace mbrt::MBRT_TARGET
