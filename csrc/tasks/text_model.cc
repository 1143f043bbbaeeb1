#include "tasks/text_model.h"

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
      labels_(labels_of(encoder_->file().metadata(), config().num_labels)) {
  if (tokenizer_->size() > config().vocab_size) {
    throw ModelFormatError(name_ + ": the tokenizer has " + thousands(tokenizer_->size()) +
                           " pieces, the model only " + thousands(config().vocab_size) +
                           " rows for them: they do not belong together.");
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

}  // namespace mbrt
