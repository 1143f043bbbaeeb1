// The configuration of a model, for all models of docs/model_format.md.
#ifndef MBRT_MODEL_CONFIG_H_
#define MBRT_MODEL_CONFIG_H_

#include <cstddef>
#include <optional>
#include <string_view>

#include "kernels/activation/activation.h"

namespace mbrt {

enum class Precision { kFp32, kInt8 };

// The inputs of query, key, value and of the residual of a block's attention; h is the input of the
// block.
enum class Bottleneck {
  kNone,      // BERT: all from h
  kShared,    // MobileBERT: query and key from attention(h), value from h, residual input(h)
  kFull,      // MobileBERT_TINY: all from input(h)
  kResidual,  // the IB-BERT teacher: query, key, value from h, residual input(h)
};

enum class Norm { kLayerNorm, kNoNorm };  // kNoNorm is folded into the linear layers

// The pooled output: the first token's hidden state as it is, or after a linear layer and an
// activation.
enum class Pooler { kNone, kFirstToken, kTanh, kRelu };

enum class Head {
  kNone,
  kMaskedLm,
  kPretraining,
  kNextSentence,
  kSequenceClassification,
  kTokenClassification,
  kQuestionAnswering,
  kMultipleChoice,
};

// The properties of a head that the loader, the engine and the tasks use.
struct HeadTraits {
  Head head;
  const char* name;   // in the configuration of a model file
  bool reads_tokens;  // its logits have one row per token; false: one per sequence
  bool reads_pooled;  // it needs the pooled output
  std::size_t min_labels, max_labels;
};
const HeadTraits& head_traits(Head head);

// An activation by its name in a model file; nullopt when there is none of that name.
std::optional<Activation> activation_named(std::string_view name);

struct ModelConfig {
  Precision precision = Precision::kFp32;  // of every linear layer except the task classifier
  std::size_t vocab_size = 0;
  std::size_t hidden_size = 0;     // between blocks
  std::size_t body_size = 0;       // inside a block
  std::size_t embedding_size = 0;  // of the word table
  std::size_t num_layers = 0;
  std::size_t num_heads = 0;
  std::size_t intermediate_size = 0;
  std::size_t num_ffn = 0;
  std::size_t max_positions = 0;
  std::size_t type_vocab_size = 0;
  std::size_t num_labels = 0;
  bool trigram = false;
  bool causal = false;         // a token attends to itself and the tokens before it
  bool embedding_norm = true;  // of a model with LayerNorm: there is one behind the embeddings
  Bottleneck bottleneck = Bottleneck::kNone;
  Norm norm = Norm::kLayerNorm;
  Activation activation = Activation::kRelu;
  Activation mlm_activation = Activation::kRelu;
  float eps_embeddings = 0;
  float eps = 0;         // every other norm inside a block
  float eps_output = 0;  // the norm after the last FFN
  float eps_mlm = 0;
  Pooler pooler = Pooler::kNone;
  Head head = Head::kNone;

  bool has_bottleneck() const { return bottleneck != Bottleneck::kNone; }
  bool has_projection() const { return trigram || embedding_size != hidden_size; }
  bool has_mlm() const { return head == Head::kMaskedLm || head == Head::kPretraining; }
};

// Reads the JSON of the `config` metadata and checks all ranges and dependencies between values.
// ModelFormatError with the name of the key.
ModelConfig parse_config(std::string_view json);

}  // namespace mbrt

#endif  // MBRT_MODEL_CONFIG_H_
