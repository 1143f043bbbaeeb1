// The arithmetic of the tasks against long double.
#include "tasks/numeric.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <vector>

namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "numeric: %s\n", what);
  std::exit(1);
}

double ulp(double x) { return std::nextafter(x, HUGE_VAL) - x; }

void check_exponential() {
  std::vector<double> xs{0.0, -0.0, -708.0};
  std::mt19937_64 random(2);
  std::uniform_real_distribution<double> near(-40, 0), wide(-708, 0);
  for (int i = 0; i < 5000; ++i) {
    xs.push_back(near(random));
    xs.push_back(wide(random));
    xs.push_back(-std::pow(10.0, wide(random) / 2.5));
  }
  for (const double x : xs) {
    const double y = mbrt::exp_negative(x);
    const long double error =
        std::abs(static_cast<long double>(y) - std::exp(static_cast<long double>(x)));
    // Where long double is double, the reference has an error of its own.
    const long double limit = std::numeric_limits<long double>::digits > 53 ? 1.2L : 2.2L;
    require(error < limit * ulp(y), "exp_negative is within 1.2 ulp");
  }
  require(mbrt::exp_negative(-708.1) == 0 && mbrt::exp_negative(-HUGE_VAL) == 0,
          "exp_negative(-708.1) is 0");
  require(std::isnan(mbrt::exp_negative(std::nan(""))), "exp_negative(NaN) is NaN");
}

void check_fold_sum() {
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  for (const std::size_t n : {1u, 2u, 3u, 7u, 64u, 385u}) {
    std::vector<double> rows(n * 5);
    for (double& x : rows) x = normal(random);
    long double expected[5] = {};
    for (std::size_t i = 0; i < rows.size(); ++i) expected[i % 5] += rows[i];
    mbrt::fold_sum(rows.data(), n, 5);
    for (std::size_t k = 0; k < 5; ++k) {
      require(std::abs(rows[k] - expected[k]) < 1e-13L, "fold_sum is the sum");
    }
  }
}

void check_unit_row() {
  for (const double scale : {1.0, 1e200, 1e-200}) {
    double row[] = {3 * scale, 4 * scale};
    mbrt::unit_row(row, 2);
    require(std::abs(row[0] - 0.6) < 1e-15 && std::abs(row[1] - 0.8) < 1e-15,
            "unit_row has length 1");
  }
  double zeros[] = {0.0, 0.0};
  mbrt::unit_row(zeros, 2);
  require(zeros[0] == 0 && zeros[1] == 0, "unit_row of zeros is zeros");
}

void check_scores() {
  const float logits[] = {3e6F, 3e6F - 1, -3e6F};
  float scores[3];
  mbrt::softmax(logits, 3, scores);
  require(
      std::abs(static_cast<double>(scores[0]) - 1 / (1 + std::exp(-1.0))) < 1e-7 && scores[2] == 0,
      "softmax of huge logits");
  require(mbrt::sigmoid(-1e9) == 0 && mbrt::sigmoid(0) == 0.5 && mbrt::sigmoid(1e9) == 1,
          "sigmoid's ends");
  require(std::abs(mbrt::sigmoid(1) - 1 / (1 + std::exp(-1.0))) < 1e-15, "sigmoid(1)");
  const float ranked[] = {1, std::numeric_limits<float>::quiet_NaN(), 3, 3, 2};
  require(mbrt::best_indices(ranked, 5, 3) == std::vector<std::size_t>{2, 3, 4}, "best_indices");
  require(mbrt::best_indices(ranked, 5, 0) == std::vector<std::size_t>{2, 3, 4, 0, 1},
          "best_indices of all");
}

}  // namespace

int main() {
  check_exponential();
  check_fold_sum();
  check_unit_row();
  check_scores();
}
