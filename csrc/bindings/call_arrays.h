// The numpy arrays of a call: written by the engine, then given to Python in the layout of its
// input. Padding columns never reach Python: arrays are views of the exact width.
#ifndef MBRT_BINDINGS_CALL_ARRAYS_H_
#define MBRT_BINDINGS_CALL_ARRAYS_H_

#include <optional>
#include <vector>

#include "bindings/bindings.h"
#include "engine/outputs.h"

namespace mbrt::bindings {

using Floats = pybind11::array_t<float>;
// One list of ascending token indices per sequence.
using Positions = std::vector<std::vector<std::int64_t>>;

struct WantedOutputs {
  bool hidden_states, attentions, logits;
  const std::optional<Positions>& logit_positions;
};

class CallArrays {
 public:
  // Allocates. Throws InputError for logit positions that do not fit the batch or the model.
  CallArrays(const OutputShapes& shapes, const Batch& batch, const WantedOutputs& wanted);

  const Outputs& outputs() const { return outputs_; }

  // By name, as the fields of mobilebert_rt.ModelOutput. padded_length: null gives what has one row
  // per token as a list of [S_b, n]; a number S as one array [B, S, n] with 0 in the padding.
  pybind11::dict layout(std::optional<std::size_t> padded_length) const;

 private:
  void choose_tokens(const Positions& positions);
  float* add(Floats& array, std::vector<std::size_t> shape);
  pybind11::object layout_logits(std::optional<std::size_t> padded_length) const;

  const OutputShapes& shapes_;
  const Batch& batch_;
  Outputs outputs_;
  Floats last_hidden_, hidden_states_, attentions_, pooled_, logits_, next_sentence_;
  std::vector<std::size_t> chosen_;      // tokens whose logits are computed
  std::vector<std::size_t> chosen_end_;  // [B]: where a sequence's chosen tokens end
};

}  // namespace mbrt::bindings

#endif  // MBRT_BINDINGS_CALL_ARRAYS_H_
