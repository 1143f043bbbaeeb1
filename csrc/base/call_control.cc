#include "base/call_control.h"

#include <algorithm>

#include "base/error.h"

namespace mbrt {

std::optional<std::chrono::steady_clock::time_point> deadline_in(double seconds) {
  using std::chrono::steady_clock;
  if (seconds >= 1e9) return std::nullopt;
  const std::chrono::duration<double> wait(std::max(seconds, 0.0));
  return steady_clock::now() + std::chrono::duration_cast<steady_clock::duration>(wait);
}

void throw_stopped(const CallControl& control) {
  if (control.is_cancelled()) throw CancelledError("call: cancelled by its caller.");
  throw TimeoutError(
      "call: stopped at its deadline. Allow more time, or give fewer or shorter texts.");
}

}  // namespace mbrt
