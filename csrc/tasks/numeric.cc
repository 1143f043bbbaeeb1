#include "tasks/numeric.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>

namespace mbrt {
namespace {

template <typename Logit, typename Score>
void softmax_of(const Logit* logits, std::size_t width, Score* scores) {
  double largest = -HUGE_VAL;
  for (std::size_t i = 0; i < width; ++i) largest = std::max<double>(largest, logits[i]);
  std::vector<double> powers(width);
  for (std::size_t i = 0; i < width; ++i) powers[i] = exp_negative(logits[i] - largest);
  std::vector<double> sum = powers;
  if (width > 0) fold_sum(sum.data(), width, 1);
  for (std::size_t i = 0; i < width; ++i) scores[i] = static_cast<Score>(powers[i] / sum[0]);
}

}  // namespace

void fold_sum(double* rows, std::size_t n, std::size_t width) {
  while (n > 1) {
    const std::size_t half = (n + 1) / 2;
    const double* const from = rows + half * width;
    for (std::size_t i = 0; i < (n - half) * width; ++i) rows[i] += from[i];
    n = half;
  }
}

void unit_row(double* row, std::size_t width) {
  double largest = 0.0;
  for (std::size_t i = 0; i < width; ++i) largest = std::max(largest, std::abs(row[i]));
  if (!(largest > 0)) return;
  std::vector<double> squares(width);
  for (std::size_t i = 0; i < width; ++i) {
    row[i] /= largest;
    squares[i] = row[i] * row[i];
  }
  fold_sum(squares.data(), width, 1);
  const double length = std::sqrt(squares[0]);
  for (std::size_t i = 0; i < width; ++i) row[i] /= length;
}

// e^x = 2^k * e^r with k = round(x / ln 2), |r| <= ln 2 / 2, and e^r by its series: the first term
// left out is below 5e-18. ln 2 is in two parts, the first so short that k times it is exact.
double exp_negative(double x) {
  constexpr double kInverseLn2 = 0x1.71547652b82fep0;
  constexpr double kLn2High = 0x1.62e42fee00000p-1;
  constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
  // 1 / n! for n = 14 down to 1.
  constexpr double kInverseFactorials[] = {1 / 87178291200., 1 / 6227020800.,
                                           1 / 479001600.,   1 / 39916800.,
                                           1 / 3628800.,     1 / 362880.,
                                           1 / 40320.,       1 / 5040.,
                                           1 / 720.,         1 / 120.,
                                           1 / 24.,          1 / 6.,
                                           1 / 2.,           1.};
  if (!(x >= -708.0)) return x < -708.0 ? 0.0 : x;
  const double k = std::floor(x * kInverseLn2 + 0.5);
  const double r = (x - k * kLn2High) - k * kLn2Low;
  double series = 0.0;
  for (const double term : kInverseFactorials) series = (series + term) * r;
  const std::uint64_t bits = static_cast<std::uint64_t>(static_cast<std::int64_t>(k) + 1023) << 52;
  double power = 0;
  std::memcpy(&power, &bits, sizeof(power));
  return (1.0 + series) * power;
}

void softmax(const double* logits, std::size_t width, float* scores) {
  softmax_of(logits, width, scores);
}
void softmax(const float* logits, std::size_t width, float* scores) {
  softmax_of(logits, width, scores);
}
void softmax(const double* logits, std::size_t width, double* scores) {
  softmax_of(logits, width, scores);
}

double sigmoid(double x) {
  const double power = exp_negative(-std::abs(x));
  return (x >= 0 ? 1.0 : power) / (1.0 + power);
}

std::vector<std::size_t> best_indices(const float* scores, std::size_t width, std::size_t count) {
  std::vector<std::size_t> order(width);
  std::iota(order.begin(), order.end(), std::size_t{0});
  if (count == 0 || count > width) count = width;
  // A score that is not a number is below all others, else this were no ordering.
  const auto key = [&](std::size_t i) { return scores[i] == scores[i] ? scores[i] : -HUGE_VALF; };
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                    [&](std::size_t a, std::size_t b) {
                      const float left = key(a), right = key(b);
                      return left > right || (left == right && a < b);
                    });
  order.resize(count);
  return order;
}

}  // namespace mbrt
