// Ctrl-C: the first cancels the call that runs, within the time of a layer; the second kills the
// program.
#ifndef MBRT_TOOLS_INTERRUPT_H_
#define MBRT_TOOLS_INTERRUPT_H_

#include <atomic>

namespace mbrt::tools {

void watch_for_interrupts();
const std::atomic<bool>& interrupted();
void throw_if_interrupted();  // CancelledError

}  // namespace mbrt::tools

#endif  // MBRT_TOOLS_INTERRUPT_H_
