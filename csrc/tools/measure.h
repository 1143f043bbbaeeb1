// Time and memory of model calls. The twin of mobilebert_rt/cli/measure.py.
#ifndef MBRT_TOOLS_MEASURE_H_
#define MBRT_TOOLS_MEASURE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace mbrt::tools {

// Milliseconds of the calls: the 50th, 90th and 99th percentile, the mean, and how many were timed.
struct Timing {
  double p50, p90, p99, mean;
  std::size_t calls;
};

// Percentiles by linear interpolation; with few calls p99 is near the slowest.
Timing timing_of(std::vector<double> milliseconds);

// Milliseconds of one call.
double clock_of(const std::function<void()>& call);

// Times `repeats` calls after `warmup` untimed ones; fewer, but one at least, after `seconds`.
Timing repeat(const std::function<void()>& call, std::size_t warmup, std::size_t repeats,
              double seconds);

// Starts the process's peak memory anew. False where the system cannot: the peak is then the
// process's.
bool reset_peak_memory();

// Largest resident memory of this process in bytes since the last reset.
std::optional<std::uint64_t> peak_memory();

}  // namespace mbrt::tools

#endif  // MBRT_TOOLS_MEASURE_H_
