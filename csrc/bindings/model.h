// The Model and CancelToken classes of the extension module.
#ifndef MBRT_BINDINGS_MODEL_H_
#define MBRT_BINDINGS_MODEL_H_

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

#include "bindings/bindings.h"
#include "bindings/call_arrays.h"
#include "bindings/keywords.h"
#include "engine/encoder.h"

namespace mbrt::bindings {

struct CancelToken {
  std::atomic<bool> cancelled{false};
};

// From the keywords timeout and cancel, whose token lives as long as the dict that was given.
CallControl take_control(Keywords& keywords);

struct Model {
  std::shared_ptr<const Encoder> encoder;
};

}  // namespace mbrt::bindings

#endif  // MBRT_BINDINGS_MODEL_H_
