#include <signal.h>

#include "base/error.h"
#include "base/interrupt.h"

namespace mbrt {
namespace {

std::atomic<bool> was_interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal may set it");
struct sigaction previous;

// Python's handler, or that of a library which calls it, runs too.
void on_interrupt(int number, siginfo_t* info, void* context) {
  was_interrupted = true;
  if ((previous.sa_flags & SA_SIGINFO) != 0) {
    previous.sa_sigaction(number, info, context);
  } else if (previous.sa_handler != SIG_DFL && previous.sa_handler != SIG_IGN) {
    previous.sa_handler(number);
  }
}

}  // namespace

InterruptWatch::InterruptWatch() {
  was_interrupted = false;
  sigaction(SIGINT, nullptr, &previous);
  struct sigaction action = {};
  action.sa_sigaction = on_interrupt;
  // No SA_RESTART: read() fails with EINTR. The second signal has its default action.
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_SIGINFO);
  sigaction(SIGINT, &action, nullptr);
}

InterruptWatch::~InterruptWatch() { sigaction(SIGINT, &previous, nullptr); }

const std::atomic<bool>& interrupted() { return was_interrupted; }

void throw_if_interrupted() {
  if (was_interrupted) throw CancelledError("interrupted");
}

}  // namespace mbrt
