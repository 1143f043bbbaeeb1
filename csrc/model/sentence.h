// How the states of a text become its vector: what a sentence-transformers folder adds to an encoder,
// from the metadata `pooling`, `modules`, `prompts` and `default_prompt` of a model file.
#ifndef MBRT_MODEL_SENTENCE_H_
#define MBRT_MODEL_SENTENCE_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/config.h"
#include "model/safetensors.h"

namespace mbrt {

// Over the tokens of a text, special tokens included. i counts from 1.
enum class PoolingMode {
  kCls,           // the first token
  kMax,           // the largest value of each column
  kMean,          // sum / n
  kMeanSqrtLen,   // sum / sqrt(n)
  kWeightedMean,  // sum of i x_i / sum of i
  kLastToken,
};

// "cls", "mean+max", ...: modes joined by +, in this order. Empty when the text is something else.
std::vector<PoolingMode> parse_pooling(std::string_view text);
std::string pooling_text(const std::vector<PoolingMode>& modes);
extern const char kPoolingNames[];  // for messages

struct Pooling {
  std::vector<PoolingMode> modes{PoolingMode::kMean};  // their vectors are joined
  bool normalize = false;                              // after the modules, to length 1
  std::optional<std::size_t> max_tokens;    // where texts are cut, special tokens included
  std::optional<std::size_t> truncate_dim;  // the first dimensions are kept, after normalising
  bool include_prompt = true;               // false: the tokens of the prompt are not pooled
};

enum class ModuleKind { kDense, kLayerNorm, kNormalize };

// One step behind the pooling.
struct ModuleConfig {
  ModuleKind kind = ModuleKind::kNormalize;
  std::size_t inputs = 0, outputs = 0;   // widths; derived, but for the outputs of kDense
  std::optional<Activation> activation;  // kDense
  bool residual = false;  // kDense: adds its input, through a second layer when the widths differ
};

struct SentenceConfig {
  Pooling pooling;
  std::vector<ModuleConfig> modules;
  std::map<std::string, std::string> prompts;
  std::string default_prompt;  // a key of prompts, or empty

  // The prompt of that name. InputError when there is none; "query" and "document" always exist.
  const std::string& prompt(const std::string& name) const;
  // The text of the default prompt, or empty.
  std::string default_text() const;
};

// Mean, not normalised, where the file says nothing. ModelFormatError.
SentenceConfig read_sentence(const Metadata& metadata, const ModelConfig& config);

}  // namespace mbrt

#endif  // MBRT_MODEL_SENTENCE_H_
