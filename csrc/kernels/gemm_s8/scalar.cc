// gemm_s8_1x16_scalar: the formula of gemm_s8.h as three loops. Every other gemm_s8 must give the
// same bits.
//
// It shares neither the driver nor the epilogue with the other kernels, so that tests against it
// find a bug in those.
#include <cstddef>
#include <cstdint>

#include "base/lanes.h"
#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/peak.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {
namespace {

constexpr std::size_t kBlock = 16;

float finish(const GemmS8& g, std::size_t m, std::size_t n, std::int32_t acc) {
  if (g.epilogue == Epilogue::kProduct) return static_cast<float>(acc) * g.w_scale[n];
  const float base = fused_multiply_add(g.a_shift[m], g.w_sum[n], g.bias[n]);
  const float x = fused_multiply_add(static_cast<float>(acc), g.a_scale[m] * g.w_scale[n], base);
  if (g.epilogue == Epilogue::kRelu) return x > 0.0f ? x : 0.0f;
  if (g.epilogue == Epilogue::kLinear) return x;
  return fused_multiply_add(g.residual[m * g.residual_stride + n], g.residual_scale[n], x);
}

}  // namespace

void gemm_s8(const GemmS8& g) {
  for (std::size_t m = 0; m < g.m; ++m) {
    const auto* a = reinterpret_cast<const std::int8_t*>(
        g.a + m * g.a_stride);  // offset 0: bytes are the values
    for (std::size_t n = 0; n < g.n; n += kBlock) {
      const std::int8_t* w = g.w + n * g.k;
      std::int32_t acc[kBlock] = {};
      for (std::size_t k = 0; k < g.k; k += 4) {
        for (std::size_t j = 0; j < kBlock; ++j) {
          for (std::size_t i = 0; i < 4; ++i) acc[j] += a[k + i] * w[k * kBlock + j * 4 + i];
        }
      }
      for (std::size_t j = 0; j < kBlock; ++j) {
        g.out[m * g.out_stride + n + j] = finish(g, m, n + j, acc[j]);
      }
    }
  }
}

std::size_t peak_s8(std::size_t iterations) {
  const auto a = static_cast<std::uint32_t>(iterations);
  const auto step = [a](std::uint32_t acc) { return acc * a + 1; };
  return run_peak<8>(iterations, 1, a, step);
}

}  // namespace mbrt::MBRT_TARGET
