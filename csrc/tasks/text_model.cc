#include "tasks/text_model.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "model/json.h"
#include "model/message.h"

namespace mbrt {

// The reader of the file has checked the labels already: here they only need reading.
std::vector<std::string> labels_of(const Metadata& metadata, std::size_t count) {
  std::vector<std::string> labels;
  if (const auto entry = metadata.find("labels"); entry != metadata.end()) {
    JsonReader json(entry->second, "labels");
    json.begin_array();
    while (json.next_element()) labels.push_back(json.string());
  }
  for (std::size_t i = labels.size(); i < count; ++i)
    labels.push_back("LABEL_" + std::to_string(i));
  return labels;
}

TextModel::TextModel(const std::shared_ptr<const Encoder>& encoder, const std::string& name)
    : TextModel(encoder, name, tokenizer_of(encoder->file().metadata(), name)) {}

TextModel::TextModel(std::shared_ptr<const Encoder> encoder, std::string name, FoundTokenizer found)
    : encoder_(std::move(encoder)),
      name_(std::move(name)),
      mask_token_(found.mask_token()),
      tokenizer_(std::move(found.tokenizer)),
      model_max_length_(found.max_length),
      labels_(labels_of(encoder_->file().metadata(), config().num_labels)) {
  const std::int32_t largest = tokenizer_->largest_id();
  if (largest >= static_cast<std::int64_t>(config().vocab_size)) {
    throw ModelFormatError(name_ + ": the tokenizer's piece " + quoted(tokenizer_->piece(largest)) +
                           " has the id " + thousands(static_cast<std::uint64_t>(largest)) +
                           "; the model has rows for ids below " + thousands(config().vocab_size) +
                           ". The tokenizer is another model's, or the model's embeddings were not "
                           "resized for its added tokens.");
  }
  const Metadata& metadata = encoder_->file().metadata();
  if (const auto entry = metadata.find("problem_type"); entry != metadata.end()) {
    problem_type_ = entry->second;
  }
  if (const auto entry = metadata.find("activation"); entry != metadata.end()) {
    activation_ = entry->second;
  }
  if (mask_token_) mask_id_ = tokenizer_->id(*mask_token_);
}

std::size_t TextModel::max_tokens() const {
  const std::size_t longest = config().max_positions;
  const std::optional<std::size_t> limit = sentence().pooling.max_tokens;
  return std::min((limit ? limit : model_max_length_).value_or(longest), longest);
}

}  // namespace mbrt
