#include "engine/batch.h"

#include "base/error.h"

namespace mbrt {

void throw_stopped(const CallControl& control) {
  if (control.is_cancelled()) throw CancelledError("call: cancelled by its caller.");
  throw TimeoutError(
      "call: stopped at its deadline. Allow more time, or give fewer or shorter texts.");
}

}  // namespace mbrt
