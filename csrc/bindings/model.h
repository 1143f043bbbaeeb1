// The Model and CancelToken classes of the extension module.
#ifndef MBRT_BINDINGS_MODEL_H_
#define MBRT_BINDINGS_MODEL_H_

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "bindings/bindings.h"
#include "bindings/call_arrays.h"
#include "engine/encoder.h"

namespace mbrt::bindings {

template <typename T>
using Input = pybind11::array_t<T, pybind11::array::c_style>;

struct CancelToken {
  std::atomic<bool> cancelled{false};
};

// InputError for NaN; no deadline for a timeout beyond what the clock can count.
CallControl call_control(std::optional<double> timeout, const CancelToken* cancel);

class Model {
 public:
  Model(const std::string& path, const std::optional<std::string>& isa);
  Model(const pybind11::buffer& image, const std::optional<std::string>& isa);

  pybind11::dict run(const Input<std::int32_t>& ids, const Input<std::int64_t>& lengths,
                     const std::optional<Input<std::int32_t>>& types,
                     const std::optional<Input<std::uint8_t>>& key_mask,
                     const std::optional<Input<std::uint8_t>>& pair_mask,
                     std::optional<std::size_t> padded_length, bool hidden_states, bool attentions,
                     bool logits, const std::optional<Positions>& logit_positions,
                     std::optional<double> timeout, const CancelToken* cancel,
                     std::size_t num_threads, Profile* profile) const;

  const std::shared_ptr<const Encoder>& encoder() const { return encoder_; }

 private:
  std::shared_ptr<const Encoder> encoder_;
};

}  // namespace mbrt::bindings

#endif  // MBRT_BINDINGS_MODEL_H_
