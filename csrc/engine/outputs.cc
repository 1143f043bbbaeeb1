#include "engine/outputs.h"

namespace mbrt {

OutputShapes::OutputShapes(const ModelConfig& config)
    : num_layers(config.num_layers),
      num_heads(config.num_heads),
      hidden{.columns = config.hidden_size, .per_token = true},
      logits{.columns = config.has_mlm() ? config.vocab_size : config.num_labels,
             .per_token = head_traits(config.head).reads_tokens},
      logits_are_spans(config.head == Head::kQuestionAnswering) {
  if (config.pooler != Pooler::kNone) pooled.columns = config.hidden_size;
  if (config.head == Head::kPretraining) next_sentence.columns = 2;
}

}  // namespace mbrt
