// Where a model's tokenizer is found, and the settings beside it.
#ifndef MBRT_TASKS_VOCABULARY_H_
#define MBRT_TASKS_VOCABULARY_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "model/safetensors.h"
#include "text/wordpiece.h"

namespace mbrt {

struct FoundTokenizer {
  std::shared_ptr<const text::Tokenizer> tokenizer;
  std::optional<std::string> mask;  // the mask token that the settings name

  // That token, or by default [MASK] or <mask>, when the vocabulary has it.
  std::optional<std::string> mask_token() const;
};

// What a tokenizer_config says; where it says nothing, BERT's own. mask_is_named: it has a mask
// token of its own. Keys that a WordPiece tokenizer has no use for are passed over.
struct TokenizerSettings {
  text::Settings text;
  bool mask_is_named = false;
};
// source: what messages call the text. ModelFormatError when it is not a JSON object.
TokenizerSettings read_settings(std::string_view json, const std::string& source);

// Makes a tokenizer from a tokenizer.json that WordPiece cannot read. reason: WordPiece's error.
using OtherTokenizer = std::function<std::shared_ptr<const text::Tokenizer>(
    std::string_view json, const UnsupportedModelError& reason)>;

// The tokenizer in the metadata: tokenizer.json first, then vocab.txt. name: of the model, in
// messages. ModelFormatError when there is none or it cannot be read; UnsupportedModelError for a
// tokenizer.json of another kind, unless `other` can read it.
FoundTokenizer tokenizer_of(const Metadata& metadata, const std::string& name,
                            const OtherTokenizer& other = {});

// The tokenizer.json or vocab.txt at the path, or the one in the folder there, with the
// tokenizer_config.json beside it.
FoundTokenizer tokenizer_at(const std::string& path, const OtherTokenizer& other = {});

// From the text of a tokenizer.json. source: names it in messages.
std::shared_ptr<const text::Tokenizer> tokenizer_from_json(std::string_view json,
                                                           const std::string& source,
                                                           const OtherTokenizer& other = {});

}  // namespace mbrt

#endif  // MBRT_TASKS_VOCABULARY_H_
