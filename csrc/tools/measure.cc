#include "tools/measure.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <numeric>

namespace mbrt::tools {
namespace {

using Clock = std::chrono::steady_clock;

double percentile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (place - std::floor(place));
}

}  // namespace

Timing timing_of(std::vector<double> milliseconds) {
  std::sort(milliseconds.begin(), milliseconds.end());
  const double sum = std::accumulate(milliseconds.begin(), milliseconds.end(), 0.0);
  return {percentile(milliseconds, 0.5), percentile(milliseconds, 0.9),
          percentile(milliseconds, 0.99), sum / static_cast<double>(milliseconds.size()),
          milliseconds.size()};
}

double clock_of(const std::function<void()>& call) {
  const Clock::time_point begin = Clock::now();
  call();
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

Timing repeat(const std::function<void()>& call, std::size_t warmup, std::size_t repeats,
              double seconds) {
  for (std::size_t i = 0; i < warmup; ++i) call();
  const Clock::time_point begin = Clock::now();
  std::vector<double> times{clock_of(call)};
  while (times.size() < repeats &&
         std::chrono::duration<double>(Clock::now() - begin).count() < seconds) {
    times.push_back(clock_of(call));
  }
  return timing_of(std::move(times));
}

bool reset_peak_memory() {
  std::FILE* const file = std::fopen("/proc/self/clear_refs", "w");
  if (file == nullptr) return false;
  const bool written = std::fputs("5", file) >= 0;
  return std::fclose(file) == 0 && written;
}

std::optional<std::uint64_t> peak_memory() {
  if (std::FILE* const file = std::fopen("/proc/self/status", "r")) {
    constexpr char kName[] = "VmHWM:";
    std::optional<std::uint64_t> bytes;
    for (char line[256]; !bytes && std::fgets(line, sizeof(line), file) != nullptr;) {
      if (std::strncmp(line, kName, std::strlen(kName)) != 0) continue;
      bytes = std::strtoull(line + std::strlen(kName), nullptr, 10) * 1024;  // it counts in kB
    }
    std::fclose(file);
    if (bytes) return bytes;
  }
  rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) return std::nullopt;
#if defined(__APPLE__)
  return static_cast<std::uint64_t>(usage.ru_maxrss);
#else
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
#endif
}

}  // namespace mbrt::tools
