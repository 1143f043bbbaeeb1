// gemm_s8_6x16_avxvnni on any machine with AVX2: its source, compiled with an exact emulation of
// vpdpbusd, equals the scalar kernel bit for bit.
#include <immintrin.h>

// acc + the four unsigned times signed products of each lane, modulo 2^32. Products of bytes fit 16
// bits and madd adds pairs of them in 32, so nothing saturates.
static inline __m256i dpbusd_of_avx2(__m256i acc, __m256i u, __m256i s) {
  const __m256i u_even = _mm256_and_si256(u, _mm256_set1_epi16(0x00ff));
  const __m256i u_odd = _mm256_srli_epi16(u, 8);
  const __m256i s_even = _mm256_srai_epi16(_mm256_slli_epi16(s, 8), 8);
  const __m256i s_odd = _mm256_srai_epi16(s, 8);
  const __m256i sum =
      _mm256_add_epi32(_mm256_madd_epi16(u_even, s_even), _mm256_madd_epi16(u_odd, s_odd));
  return _mm256_add_epi32(acc, sum);
}

#define MBRT_DPBUSD dpbusd_of_avx2
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

#include "base/aligned.h"
#include "base/cpu_features.h"
#include "kernels/gemm_s8/x86_avxvnni.cc"

namespace mbrt::scalar {
void gemm_s8(const GemmS8&);
}  // namespace mbrt::scalar

namespace {

using mbrt::AlignedArray;
using mbrt::Epilogue;
using mbrt::GemmS8;

// The operands of one product, in arrays that end where the contract says.
struct Product {
  Product(std::size_t m_, std::size_t n_, std::size_t k_, bool extreme, std::mt19937& random)
      : m(m_), n(n_), k(k_), w(n * k) {
    const auto byte = [&](int min) {
      if (extreme) return random() % 2 == 0 ? min : 127;
      return static_cast<int>(random() % static_cast<unsigned>(128 - min)) + min;
    };
    for (std::size_t i = 0; i < m * k; ++i) q.push_back(byte(-128));
    for (std::int8_t& value : w) value = static_cast<std::int8_t>(byte(-127));
    compensation.assign(n, 0);
    for (std::size_t i = 0; i < n * k; ++i) {
      const std::size_t column = i / (16 * k) * 16 + i / 4 % 16;
      compensation[column] -= 128 * w[i];
    }
    for (std::vector<float>* v : {&a_scale, &a_shift}) *v = floats(m, random);
    for (std::vector<float>* v : {&w_scale, &w_sum, &bias, &residual_scale}) *v = floats(n, random);
    residual = floats(m * n, random);
  }

  static std::vector<float> floats(std::size_t count, std::mt19937& random) {
    std::normal_distribution<float> normal;
    std::vector<float> values(count);
    for (float& value : values) value = normal(random);
    return values;
  }

  // The output rows of a kernel.
  std::vector<float> run(void (*kernel)(const GemmS8&), int offset, Epilogue epilogue) const {
    std::vector<std::uint8_t> a;
    for (const int value : q) a.push_back(static_cast<std::uint8_t>(value + offset));
    std::vector<float> out(m * n);
    kernel({.epilogue = epilogue,
            .m = m,
            .n = n,
            .k = k,
            .a = a.data(),
            .a_stride = k,
            .a_scale = a_scale.data(),
            .a_shift = a_shift.data(),
            .w = w.data(),
            .compensation = compensation.data(),
            .w_scale = w_scale.data(),
            .w_sum = w_sum.data(),
            .bias = bias.data(),
            .residual = residual.data(),
            .residual_stride = n,
            .residual_scale = residual_scale.data(),
            .out = out.data(),
            .out_stride = n});
    return out;
  }

  std::size_t m, n, k;
  std::vector<int> q;
  AlignedArray<std::int8_t> w;
  std::vector<std::int32_t> compensation;
  std::vector<float> a_scale, a_shift, w_scale, w_sum, bias, residual, residual_scale;
};

bool same(const std::vector<float>& a, const std::vector<float>& b) {
  return std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

int main() {
  if (!mbrt::detect_cpu_features().MBRT_NEEDS) {
    std::printf("SKIPPED: this processor lacks the instructions of this test\n");
    return 77;
  }
  std::mt19937 random(7);
  std::size_t products = 0;
  for (std::size_t m = 1; m <= 20; ++m) {
    for (const std::size_t n : {16u, 48u, 80u}) {
      for (const std::size_t k : {16u, 48u, 512u}) {
        const Product product(m, n, k, (m + n + k) / 16 % 2 == 0, random);
        for (const Epilogue epilogue :
             {Epilogue::kLinear, Epilogue::kRelu, Epilogue::kResidual, Epilogue::kProduct}) {
          if (!same(product.run(mbrt::MBRT_TARGET::gemm_s8, 128, epilogue),
                    product.run(mbrt::scalar::gemm_s8, 0, epilogue))) {
            std::printf("m %zu, n %zu, k %zu, epilogue %d: not the scalar kernel's bits\n", m, n, k,
                        static_cast<int>(epilogue));
            return 1;
          }
        }
        ++products;
      }
    }
  }
  std::printf("%zu products, each with four endings: the scalar kernel's bits\n", products);
  return 0;
}
