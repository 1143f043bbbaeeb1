// What the small files beside tokenizer.json and vocab.txt say: tokenizer_config.json,
// special_tokens_map.json, added_tokens.json, and config.json for the tokenizer's class.
#ifndef MBRT_TEXT_TOKENIZER_CONFIG_H_
#define MBRT_TEXT_TOKENIZER_CONFIG_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/added_tokens.h"
#include "text/wordpiece.h"

namespace mbrt::text {

// The texts of the files; nullptr: there is no such file.
struct ConfigFiles {
  const std::string* tokenizer_config = nullptr;
  const std::string* special_tokens_map = nullptr;
  const std::string* added_tokens = nullptr;
  const std::string* model_config = nullptr;
};

struct TokenizerConfig {
  enum class Kind {
    kBert,     // BertTokenizer and its copies: the settings here win over tokenizer.json
    kGeneric,  // PreTrainedTokenizerFast: tokenizer.json as it is
    kOther,    // any other class
  };

  Kind kind = Kind::kGeneric;
  std::string tokenizer_class;  // its name; empty when no file says one
  Settings settings;            // BERT's own where no file says anything
  // Special tokens without ids, in the order in which they are added when the vocabulary lacks them.
  std::vector<AddedToken> special;
  std::vector<AddedToken> declared;  // with ids, ascending
  bool has_decoder = false;          // they are from added_tokens_decoder, which names all of them
  std::optional<std::string> mask;   // the mask token that a file names, or BERT's
  std::optional<std::size_t> max_length;  // model_max_length, in tokens; none when meaningless
};

// Read as transformers does: special_tokens_map.json and added_tokens.json count when tokenizer_config.json
// has no added_tokens_decoder. is_json: for a tokenizer.json, not a vocab.txt. source: names the
// files' place in messages. ModelFormatError for a malformed file, UnsupportedModelError for settings
// that change ids in another way than here.
TokenizerConfig read_tokenizer_config(const ConfigFiles& files, bool is_json,
                                      const std::string& source);

struct Description;

// Adds what `config` says to what tokenizer.json or vocab.txt says. UnsupportedModelError where they
// contradict each other in a way that versions 4 and 5 of transformers resolve differently.
void combine(const TokenizerConfig& config, bool is_json, std::string_view source,
             Description* description);

}  // namespace mbrt::text

#endif  // MBRT_TEXT_TOKENIZER_CONFIG_H_
