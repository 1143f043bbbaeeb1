// tokenizer.json or vocab.txt together with the files beside them, as transformers reads a folder.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/error.h"
#include "model/message.h"
#include "text/core.h"
#include "text/tokenizer_config.h"

namespace mbrt::text {
namespace {

using Kind = TokenizerConfig::Kind;

[[noreturn]] void contradiction(std::string_view source, const std::string& what) {
  throw UnsupportedModelError(
      std::string(source) + ": " + what +
      ". Versions 4 and 5 of transformers read such a folder differently. Make the files agree, or "
      "set "
      "\"tokenizer_class\": \"PreTrainedTokenizerFast\" in tokenizer_config.json to use "
      "tokenizer.json as it is.");
}

// Version 5 makes BERT's tokenizer anew from the pieces; version 4 keeps what tokenizer.json says.
void check_parts(const Settings& json, const Settings& config, std::string_view source) {
  const Settings berts;
  const auto check = [&](const char* what, const std::string& found, const std::string& expected) {
    if (found == expected) return;
    contradiction(source, std::string(what) + " is " + quoted(found) + "; expected " +
                              quoted(expected) + " for the tokenizer class BertTokenizer");
  };
  check("continuing_subword_prefix", json.prefix, berts.prefix);
  check("max_input_chars_per_word", std::to_string(json.max_word_chars),
        std::to_string(berts.max_word_chars));
  check("clean_text", json.clean_text ? "true" : "false", "true");
  check("the unknown token", json.unk, config.unk);
  check("the first token of a text", json.cls, config.cls);
  check("the last token of a text", json.sep, config.sep);
}

// The added tokens of tokenizer.json, then those that only the other files declare.
std::vector<AddedToken> declared_tokens(const TokenizerConfig& config,
                                        std::vector<AddedToken> tokens, std::string_view source) {
  std::map<std::string, const AddedToken*> left, specials;
  for (const AddedToken& token : config.special) specials.emplace(token.content, &token);
  for (const AddedToken& token : config.declared) {
    if (left.emplace(token.content, &token).second) continue;
    contradiction(source, "the added token " + quoted(token.content) + " is declared twice");
  }
  for (AddedToken& token : tokens) {
    const auto found = left.find(token.content);
    if (found != left.end()) {
      const AddedToken& other = *found->second;
      if (config.has_decoder && other.normalized != token.normalized) {
        contradiction(source, "\"normalized\" of the added token " + quoted(token.content) +
                                  " differs from that in added_tokens_decoder");
      }
      if (config.has_decoder)
        token = {.content = token.content,
                 .id = token.id,
                 .single_word = other.single_word,
                 .lstrip = other.lstrip,
                 .rstrip = other.rstrip,
                 .normalized = other.normalized};
      left.erase(found);
    } else if (config.has_decoder && config.kind == Kind::kBert) {
      const auto special = specials.find(token.content);
      if (special != specials.end() && special->second->same_flags(token)) continue;
      contradiction(source, "added_tokens_decoder lacks the added token " + quoted(token.content));
    }
  }
  for (const AddedToken& token : config.declared) {
    if (left.count(token.content) > 0) tokens.push_back(token);
  }
  return tokens;
}

}  // namespace

void combine(const TokenizerConfig& config, bool is_json, std::string_view source, Description* d) {
  if (config.kind == Kind::kBert && is_json) {
    check_parts(d->settings, config.settings, source);
    d->settings.lowercase = config.settings.lowercase;
    d->settings.strip_accents = config.settings.strip_accents;
    d->settings.handle_chinese_chars = config.settings.handle_chinese_chars;
  }
  d->added = declared_tokens(config, std::move(d->added), source);
  std::set<std::string> there;
  for (const AddedToken& token : d->added) there.insert(token.content);
  for (const AddedToken& token : config.special) {
    if (there.insert(token.content).second) d->added.push_back(token);
  }
}

}  // namespace mbrt::text
