// How a running call is stopped from outside.
#ifndef MBRT_BASE_CALL_CONTROL_H_
#define MBRT_BASE_CALL_CONTROL_H_

#include <atomic>
#include <chrono>
#include <optional>

namespace mbrt {

// Checked before each text, every 64 KiB of a text, in every layer and between batches.
struct CallControl {
  const std::atomic<bool>* cancelled = nullptr;
  std::optional<std::chrono::steady_clock::time_point> deadline{};

  bool is_cancelled() const {
    return cancelled != nullptr && cancelled->load(std::memory_order_relaxed);
  }
  bool is_late() const { return deadline && std::chrono::steady_clock::now() >= *deadline; }
  bool should_stop() const { return is_cancelled() || is_late(); }
};

// A time so many seconds from now, now for less than 0; none for 1e9 (thirty years) and more, which the
// clock cannot count.
std::optional<std::chrono::steady_clock::time_point> deadline_in(double seconds);

// Throws CancelledError or TimeoutError.
[[noreturn]] void throw_stopped(const CallControl& control);
inline void throw_if_stopped(const CallControl& control) {
  if (control.should_stop()) throw_stopped(control);
}

}  // namespace mbrt

#endif  // MBRT_BASE_CALL_CONTROL_H_
