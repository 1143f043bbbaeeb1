// Ctrl-C during a command: the first cancels the call that runs, within the time of a layer; the
// second kills the program.
#ifndef MBRT_BASE_INTERRUPT_H_
#define MBRT_BASE_INTERRUPT_H_

#include <atomic>

namespace mbrt {

// Watches while it lives; one at a time. A handler that was installed before runs too.
class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;
};

const std::atomic<bool>& interrupted();
void throw_if_interrupted();  // CancelledError

}  // namespace mbrt

#endif  // MBRT_BASE_INTERRUPT_H_
