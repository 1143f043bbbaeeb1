// Which outputs a model has, and their shapes. Decided here for every user of the engine.
#ifndef MBRT_ENGINE_OUTPUTS_H_
#define MBRT_ENGINE_OUTPUTS_H_

#include <cstddef>

#include "base/lanes.h"
#include "engine/batch.h"
#include "model/config.h"

namespace mbrt {

// An output is a matrix of floats, one row per token or one per sequence.
struct OutputShape {
  std::size_t columns = 0;  // 0: the model does not have this output
  bool per_token = false;

  bool exists() const { return columns > 0; }
  // Floats from one row to the next; those after the last column are 0.
  std::size_t stride() const { return pad16(columns); }
  std::size_t rows(std::size_t tokens, std::size_t sequences) const {
    return per_token ? tokens : sequences;
  }
};

struct OutputShapes {
  explicit OutputShapes(const ModelConfig& config);

  // Floats of Outputs::attentions.
  std::size_t attentions(const Batch& batch) const {
    return batch.pairs_before(batch.sequences) * num_layers * num_heads;
  }

  std::size_t num_layers, num_heads;
  OutputShape hidden;  // the last hidden state; hidden_states are num_layers + 1 such matrices
  OutputShape pooled;
  OutputShape logits;         // with Outputs::logit_tokens one row per chosen token
  OutputShape next_sentence;  // pre-training only: column 0 "follows", column 1 "does not"
  bool logits_are_spans;      // column 0 holds start logits, column 1 end logits
};

// What a call writes; every pointer is optional. Shapes are those of OutputShapes.
struct Outputs {
  float* last_hidden_state = nullptr;  // [T][hidden]
  float* hidden_states = nullptr;  // [L + 1][T][hidden]: the embeddings, then each block's output
  float* attentions = nullptr;     // for each sequence [L][heads][S][S]; not padded
  float* pooled = nullptr;         // [B][hidden]
  float* logits = nullptr;         // [B or T or logit_token_count][labels or vocabulary]
  float* next_sentence = nullptr;  // [B][2]

  // Logits per token only: the tokens (ascending positions in the packed batch) whose logits are
  // computed; null: all T.
  const std::size_t* logit_tokens = nullptr;
  std::size_t logit_token_count = 0;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_OUTPUTS_H_
