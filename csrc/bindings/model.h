// The Model and CancelToken classes of the extension module.
#ifndef MBRT_BINDINGS_MODEL_H_
#define MBRT_BINDINGS_MODEL_H_

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

#include "bindings/bindings.h"
#include "bindings/call_arrays.h"
#include "engine/encoder.h"

namespace mbrt::bindings {

struct CancelToken {
  std::atomic<bool> cancelled{false};
};

// InputError for NaN; no deadline for a timeout beyond what the clock can count.
CallControl call_control(std::optional<double> timeout, const CancelToken* cancel);

struct Model {
  std::shared_ptr<const Encoder> encoder;
};

}  // namespace mbrt::bindings

#endif  // MBRT_BINDINGS_MODEL_H_
