// Where a model's tokenizer is found, and the settings beside it. The twin of text/vocabulary.py and
// text/tokenizer.py.
#ifndef MBRT_TASKS_VOCABULARY_H_
#define MBRT_TASKS_VOCABULARY_H_

#include <optional>
#include <string>
#include <string_view>

#include "model/safetensors.h"
#include "text/tokenizer.h"

namespace mbrt {

struct FoundTokenizer {
  text::Tokenizer tokenizer;
  std::optional<std::string> mask;  // the mask token that the settings name
};

// What a tokenizer_config says; where it says nothing, BERT's own. mask_is_named: it has a mask
// token of its own. Keys that a WordPiece tokenizer has no use for are passed over.
struct TokenizerSettings {
  text::Settings text;
  bool mask_is_named = false;
};
// source: what messages call the text. ModelFormatError when it is not a JSON object.
TokenizerSettings read_settings(std::string_view json, const std::string& source);

// The tokenizer in the metadata: tokenizer.json first, then vocab.txt. name: the model's, for
// messages. ModelFormatError when there is none or it cannot be read.
FoundTokenizer tokenizer_of(const Metadata& metadata, const std::string& name);

// The tokenizer.json or vocab.txt at the path, or the one in the folder there, with the
// tokenizer_config.json beside it.
FoundTokenizer tokenizer_at(const std::string& path);

}  // namespace mbrt

#endif  // MBRT_TASKS_VOCABULARY_H_
