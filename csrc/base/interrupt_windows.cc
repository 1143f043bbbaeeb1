#include <signal.h>

#include "base/error.h"
#include "base/interrupt.h"

namespace mbrt {
namespace {

std::atomic<bool> was_interrupted{false};
void (*previous)(int) = SIG_DFL;

// Called on a thread of its own, after the handler has been reset: the second Ctrl-C has its default
// action. A handler of Python runs too.
void on_interrupt(int number) {
  was_interrupted = true;
  if (previous != SIG_DFL && previous != SIG_IGN) previous(number);
}

}  // namespace

InterruptWatch::InterruptWatch() {
  was_interrupted = false;
  previous = signal(SIGINT, on_interrupt);
  if (previous == SIG_ERR) previous = SIG_DFL;
}

InterruptWatch::~InterruptWatch() { signal(SIGINT, previous); }

const std::atomic<bool>& interrupted() { return was_interrupted; }

void throw_if_interrupted() {
  if (was_interrupted) throw CancelledError("interrupted");
}

}  // namespace mbrt
