#include "tools/interrupt.h"

#include <signal.h>

#include "base/error.h"

namespace mbrt::tools {
namespace {

std::atomic<bool> was_interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal may set it");

}  // namespace

void watch_for_interrupts() {
  struct sigaction action = {};
  action.sa_handler = [](int) { was_interrupted = true; };
  // No SA_RESTART: read() fails with EINTR. The second signal has its default action.
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
}

const std::atomic<bool>& interrupted() { return was_interrupted; }

void throw_if_interrupted() {
  if (was_interrupted) throw CancelledError("interrupted");
}

}  // namespace mbrt::tools
