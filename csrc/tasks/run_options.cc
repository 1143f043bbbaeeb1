#include "tasks/run_options.h"

#include "base/cpu_count.h"
#include "base/error.h"

namespace mbrt {

std::size_t RunOptions::thread_count() const {
  return threads == 0 ? default_thread_count() : threads;
}

void throw_if_stopped(const CallControl& control) {
  if (control.is_cancelled()) throw CancelledError("the call was cancelled by its caller");
  if (control.is_late()) {
    throw TimeoutError(
        "the call passed its deadline and was stopped; allow it more time, or give it less text");
  }
}

}  // namespace mbrt
