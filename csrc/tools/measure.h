// Time of model calls.
#ifndef MBRT_TOOLS_MEASURE_H_
#define MBRT_TOOLS_MEASURE_H_

#include <cstddef>
#include <functional>
#include <vector>

namespace mbrt::tools {

// Milliseconds per call: percentiles by linear interpolation, mean, and the number of calls.
struct Timing {
  double p50, p90, p99, mean;
  std::size_t calls;
};

// Of the milliseconds of at least one call.
Timing timing_of(std::vector<double> milliseconds);

// Milliseconds of one call.
double time_of(const std::function<void()>& call);

// Times up to `repeats` calls after `warmup` untimed ones; stops after `seconds`, but not before the
// first timed call.
Timing measure(const std::function<void()>& call, std::size_t warmup, std::size_t repeats,
               double seconds);

}  // namespace mbrt::tools

#endif  // MBRT_TOOLS_MEASURE_H_
