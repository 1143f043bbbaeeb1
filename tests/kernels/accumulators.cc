// The int8 accumulators of every available kernel set equal the exact integer sums, for rows that the
// set quantised itself, and the bytes of these rows equal those of the scalar set. The kernel tests in
// Python check more; this one also runs without Python (32-bit ARM).
#include <algorithm>
#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "base/aligned.h"
#include "kernels/kernels.h"

namespace {

using mbrt::AlignedArray;
using mbrt::KernelSet;

// Rows quantised by one set: q + offset, and each row's scale and shift.
struct Rows {
  std::vector<std::uint8_t> q;
  std::vector<float> scale, shift;
};

Rows quantise(const KernelSet& set, const std::vector<float>& x, std::size_t m, std::size_t k) {
  Rows rows{std::vector<std::uint8_t>(m * k), std::vector<float>(m), std::vector<float>(m)};
  set.quantize({m, k, x.data(), k, set.gemm_s8_offset, rows.q.data(), k, rows.scale.data(),
                rows.shift.data()});
  return rows;
}

// The bytes without the offset of the set.
std::vector<int> values(const Rows& rows, int offset) {
  std::vector<int> q;
  for (const std::uint8_t byte : rows.q) {
    q.push_back(static_cast<std::int8_t>(static_cast<std::uint8_t>(byte - offset)));
  }
  return q;
}

bool same(const std::vector<float>& a, const std::vector<float>& b) {
  return std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// The weights of a product: w[k][n], and packed with their compensation and sums.
struct Weights {
  Weights(std::size_t n_, std::size_t k_, bool extreme, std::mt19937& random)
      : n(n_), k(k_), plain(n * k), packed(n * k), compensation(n), ones(n, 1.0f) {
    for (std::size_t column = 0; column < n; ++column) {
      for (std::size_t row = 0; row < k; ++row) {
        const int any = static_cast<int>(random() % 255) - 127;
        const int value = !extreme ? any : any < 0 ? -127 : 127;
        plain[row * n + column] = value;
        packed[(column / 16 * (k / 4) + row / 4) * 64 + column % 16 * 4 + row % 4] =
            static_cast<std::int8_t>(value);
        compensation[column] -= 128 * value;
      }
    }
  }

  std::size_t n, k;
  std::vector<int> plain;
  AlignedArray<std::int8_t> packed;
  std::vector<std::int32_t> compensation;
  std::vector<float> ones;
};

// A product with scale 1 gives the sum itself; sums here are at most 2^24, so the float is exact.
std::vector<float> multiply(const KernelSet& set, const Rows& rows, std::size_t m,
                            const Weights& w) {
  std::vector<float> out(m * w.n);
  set.gemm_s8({mbrt::Epilogue::kProduct, m, w.n, w.k, rows.q.data(), w.k, nullptr, nullptr,
               w.packed.data(), w.compensation.data(), w.ones.data(), nullptr, nullptr, nullptr, 0,
               nullptr, out.data(), w.n});
  return out;
}

std::vector<float> exact_sums(const std::vector<int>& q, std::size_t m, const Weights& w) {
  std::vector<float> sums;
  for (std::size_t row = 0; row < m; ++row) {
    for (std::size_t column = 0; column < w.n; ++column) {
      std::int32_t sum = 0;
      for (std::size_t i = 0; i < w.k; ++i) sum += q[row * w.k + i] * w.plain[i * w.n + column];
      sums.push_back(static_cast<float>(sum));
    }
  }
  return sums;
}

// Rows of random numbers; one-sided rows, as after ReLU; and rows with only the minimum and maximum
// byte.
std::vector<float> activations(std::size_t m, std::size_t k, std::mt19937& random) {
  std::vector<float> x;
  for (std::size_t i = 0; i < m * k; ++i) {
    const float any = static_cast<float>(static_cast<int>(random() % 20001) - 10000) / 997.0f;
    const std::size_t kind = i / k % 3;
    x.push_back(kind == 0 ? any : kind == 1 ? std::max(any, 0.0f) : any < 0 ? -3.0f : 3.0f);
  }
  return x;
}

}  // namespace

int main() {
  const KernelSet& scalar = mbrt::kernel_set("scalar");
  std::mt19937 random(11);
  std::size_t products = 0, sums = 0;
  std::string names;
  for (const KernelSet* set : mbrt::available_kernel_sets()) names += std::string(" ") + set->isa;
  for (std::size_t m = 1; m <= 20; ++m) {
    for (const std::size_t n : {16u, 48u, 80u, 128u}) {
      for (const std::size_t k : {16u, 48u, 128u, 512u}) {
        const Weights weights(n, k, (m + n + k) / 16 % 2 == 0, random);
        const std::vector<float> x = activations(m, k, random);
        const Rows reference = quantise(scalar, x, m, k);
        const std::vector<int> q = values(reference, scalar.gemm_s8_offset);
        const std::vector<float> wanted = exact_sums(q, m, weights);
        for (const KernelSet* set : mbrt::available_kernel_sets()) {
          const Rows rows = quantise(*set, x, m, k);
          const bool same_rows = values(rows, set->gemm_s8_offset) == q &&
                                 same(rows.scale, reference.scale) &&
                                 same(rows.shift, reference.shift);
          if (!same_rows || !same(multiply(*set, rows, m, weights), wanted)) {
            std::printf("%s, m %zu, n %zu, k %zu: not the %s\n", set->isa, m, n, k,
                        same_rows ? "exact sums" : "scalar set's bytes");
            return 1;
          }
          ++products;
          sums += wanted.size();
        }
      }
    }
  }
  std::printf("%zu products, %zu accumulators: exact on%s\n", products, sums, names.c_str());
  return 0;
}
