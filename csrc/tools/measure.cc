#include "tools/measure.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <utility>

namespace mbrt::tools {
namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double percentile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - static_cast<double>(below));
}

}  // namespace

Timing timing_of(std::vector<double> milliseconds) {
  std::sort(milliseconds.begin(), milliseconds.end());
  const double sum = std::accumulate(milliseconds.begin(), milliseconds.end(), 0.0);
  return {.p50 = percentile(milliseconds, 0.5),
          .p90 = percentile(milliseconds, 0.9),
          .p99 = percentile(milliseconds, 0.99),
          .mean = sum / static_cast<double>(milliseconds.size()),
          .calls = milliseconds.size()};
}

double time_of(const std::function<void()>& call) {
  const Clock::time_point begin = Clock::now();
  call();
  return milliseconds_since(begin);
}

Timing measure(const std::function<void()>& call, std::size_t warmup, std::size_t repeats,
               double seconds) {
  for (std::size_t i = 0; i < warmup; ++i) call();
  const Clock::time_point begin = Clock::now();
  std::vector<double> times{time_of(call)};
  while (times.size() < repeats && milliseconds_since(begin) < seconds * 1e3) {
    times.push_back(time_of(call));
  }
  return timing_of(std::move(times));
}

}  // namespace mbrt::tools
