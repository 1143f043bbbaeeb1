// Where a model's tokenizer is found.
#ifndef MBRT_TASKS_VOCABULARY_H_
#define MBRT_TASKS_VOCABULARY_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "model/safetensors.h"
#include "text/added_tokens.h"
#include "text/tokenizer.h"

namespace mbrt {

struct FoundTokenizer {
  std::shared_ptr<const text::Tokenizer> tokenizer;
  std::optional<std::string> mask = {};        // the mask token that the settings name
  std::optional<std::size_t> max_length = {};  // model_max_length of tokenizer_config.json

  // That token, or by default [MASK] or <mask>, when the vocabulary has it.
  std::optional<std::string> mask_token() const;
};

// Makes a tokenizer from a tokenizer.json that WordPiece cannot read. added: tokens to add to it, where it
// lacks them. reason: WordPiece's error.
using OtherTokenizer = std::function<std::shared_ptr<const text::Tokenizer>(
    std::string_view json, const std::vector<text::AddedToken>& added,
    const UnsupportedModelError& reason)>;

// The tokenizer in the metadata, as transformers reads a folder with the same files (docs/tokenizer.md). name: of
// the model, in messages. ModelFormatError when there is none or it cannot be read; UnsupportedModelError for a
// tokenizer of another kind, unless `other` can read its tokenizer.json.
FoundTokenizer tokenizer_of(const Metadata& metadata, const std::string& name,
                            const OtherTokenizer& other = {});

// The tokenizer of the folder at the path, or the tokenizer.json or vocab.txt there with the files beside it.
// A JSON file of another name is read alone.
FoundTokenizer tokenizer_at(const std::string& path, const OtherTokenizer& other = {});

// From the text of a tokenizer.json alone. source: names it in messages.
FoundTokenizer tokenizer_from_json(std::string_view json, const std::string& source,
                                   const OtherTokenizer& other = {});

}  // namespace mbrt

#endif  // MBRT_TASKS_VOCABULARY_H_
