// A model that reads text: the engine, the tokenizer and what the file says about its outputs.
#ifndef MBRT_TASKS_TEXT_MODEL_H_
#define MBRT_TASKS_TEXT_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/encoder.h"
#include "tasks/vocabulary.h"
#include "text/tokenizer.h"

namespace mbrt {

// One name for each output of a classification head; LABEL_0 and so on where the metadata have none.
std::vector<std::string> labels_of(const Metadata& metadata, std::size_t count);

// Immutable: any number of tasks and threads may share one.
class TextModel {
 public:
  // name: of the model, in messages. found: by tokenizer_of or tokenizer_at (tasks/vocabulary.h).
  // ModelFormatError when the tokenizer has ids for which the model has no row.
  TextModel(std::shared_ptr<const Encoder> encoder, std::string name, FoundTokenizer found);

  // With the tokenizer in the model's metadata: see tokenizer_of.
  TextModel(const std::shared_ptr<const Encoder>& encoder, const std::string& name);

  const Encoder& encoder() const { return *encoder_; }
  const ModelConfig& config() const { return encoder_->config(); }
  const std::string& name() const { return name_; }
  const text::Tokenizer& tokenizer() const { return *tokenizer_; }
  const std::shared_ptr<const text::Tokenizer>& shared_tokenizer() const { return tokenizer_; }

  const std::vector<std::string>& labels() const { return labels_; }
  const SentenceConfig& sentence() const { return encoder_->file().sentence(); }
  // Where texts are cut by default, special tokens included: sentence-transformers' limit, or
  // model_max_length of the tokenizer, and at most what the model takes.
  std::size_t max_tokens() const;
  // single_label_classification, multi_label_classification, regression, or empty.
  const std::string& problem_type() const { return problem_type_; }
  // How a cross-encoder's logits become scores: softmax, sigmoid, none, or empty.
  const std::string& activation() const { return activation_; }

  // The mask token ([MASK]) and its id, where the tokenizer has one.
  const std::optional<std::string>& mask_token() const { return mask_token_; }
  std::optional<std::int32_t> mask_id() const { return mask_id_; }

 private:
  std::shared_ptr<const Encoder> encoder_;
  std::string name_;
  std::optional<std::string> mask_token_;
  std::optional<std::int32_t> mask_id_;
  std::shared_ptr<const text::Tokenizer> tokenizer_;
  std::optional<std::size_t> model_max_length_;
  std::vector<std::string> labels_;
  std::string problem_type_, activation_;
};

}  // namespace mbrt

#endif  // MBRT_TASKS_TEXT_MODEL_H_
