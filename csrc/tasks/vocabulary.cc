#include "tasks/vocabulary.h"

#include <utility>
#include <vector>

#include "base/mapped_file.h"
#include "base/path_kind.h"
#include "model/json.h"
#include "model/message.h"
#include "text/core.h"
#include "text/tokenizer_config.h"

namespace mbrt {
namespace {

using text::TokenizerConfig;
using Kind = TokenizerConfig::Kind;

const std::string* find(const Metadata& metadata, const char* key) {
  const auto entry = metadata.find(key);
  return entry == metadata.end() || entry->second.empty() ? nullptr : &entry->second;
}

bool has_word_pieces(std::string_view text, const std::string& source) {
  JsonReader json(text, source);
  bool found = false;
  json.begin_object();
  for (std::string key; json.next_key(&key);) {
    if (key != "model" || json.peek_value() != '{') {
      json.skip();
      continue;
    }
    json.begin_object();
    while (json.next_key(&key)) {
      if (key == "type" && json.peek_value() == '"') {
        found = json.string() == "WordPiece";
      } else {
        json.skip();
      }
    }
  }
  return found;
}

UnsupportedModelError other_class(const TokenizerConfig& config, const std::string& source,
                                  const char* expected) {
  return UnsupportedModelError(source + ": the tokenizer class is " +
                               quoted(config.tokenizer_class) + "; expected " + expected);
}

FoundTokenizer from_json(std::string_view json, const TokenizerConfig& config,
                         const std::string& source, const OtherTokenizer& other) {
  if (config.kind == Kind::kOther && has_word_pieces(json, source)) {
    throw other_class(config, source,
                      "BertTokenizer or one of its copies. How this class cuts words is not in "
                      "tokenizer.json, and it is not supported.");
  }
  text::Description description;
  try {
    if (config.kind == Kind::kOther) {
      throw other_class(
          config, source,
          "BERT's WordPiece (BertTokenizer and its copies) in native programs. Use the "
          "Python package with its extra `tokenizers`.");
    }
    description = text::read_tokenizer_json(json, source);
  } catch (const UnsupportedModelError& reason) {
    if (config.kind == Kind::kBert) {
      throw UnsupportedModelError(
          std::string(reason.what()) +
          " The class BertTokenizer keeps other parts in transformers 4 and replaces them in 5; to "
          "keep them, set \"tokenizer_class\": \"PreTrainedTokenizerFast\" in "
          "tokenizer_config.json.");
    }
    if (!other) throw;
    std::vector<text::AddedToken> added = config.declared;
    added.insert(added.end(), config.special.begin(), config.special.end());
    return {other(json, added, reason), config.mask, config.max_length};
  }
  text::combine(config, true, source, &description);
  return {text::WordPiece::make(std::move(description), source), config.mask, config.max_length};
}

FoundTokenizer from_vocabulary(std::string_view vocab, const TokenizerConfig& config,
                               const std::string& source) {
  if (config.kind != Kind::kBert) {
    throw other_class(
        config, source,
        "BertTokenizer or one of its copies for a vocab.txt. Other tokenizers are read "
        "from a tokenizer.json.");
  }
  text::Description description = text::read_vocabulary(vocab, config.settings, source);
  text::combine(config, false, source, &description);
  return {text::WordPiece::make(std::move(description), source), config.mask, config.max_length};
}

std::string whole_file(const std::string& path) {
  try {
    const MappedFile file(path);
    return std::string(reinterpret_cast<const char*>(file.data()), file.size());
  } catch (const InputError& error) {
    throw ModelFormatError(path + ": no tokenizer.json or vocab.txt could be read there (" +
                           error.what() + ").");
  }
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

}  // namespace

std::optional<std::string> FoundTokenizer::mask_token() const {
  const std::int32_t largest = tokenizer->largest_id();
  for (const std::string& token :
       mask ? std::vector<std::string>{*mask} : std::vector<std::string>{"[MASK]", "<mask>"}) {
    const std::optional<std::int32_t> id = tokenizer->id(token);
    if (id && (largest < 0 || *id <= largest)) return token;
  }
  return std::nullopt;
}

FoundTokenizer tokenizer_from_json(std::string_view json, const std::string& source,
                                   const OtherTokenizer& other) {
  return from_json(json, {}, source, other);
}

FoundTokenizer tokenizer_of(const Metadata& metadata, const std::string& name,
                            const OtherTokenizer& other) {
  const std::string* const json = find(metadata, "tokenizer.json");
  const std::string* const vocab = find(metadata, "vocab.txt");
  if (json == nullptr && vocab == nullptr) {
    throw ModelFormatError(
        name +
        " holds no tokenizer. Convert the model again from a folder that has tokenizer.json or "
        "vocab.txt, or give the path of one (on the command line: --tokenizer PATH).");
  }
  const text::ConfigFiles files{.tokenizer_config = find(metadata, "tokenizer_config"),
                                .special_tokens_map = find(metadata, "special_tokens_map.json"),
                                .added_tokens = find(metadata, "added_tokens.json"),
                                .model_config = find(metadata, "source_config")};
  const TokenizerConfig config = text::read_tokenizer_config(files, json != nullptr, name);
  return json != nullptr ? from_json(*json, config, name + ": tokenizer.json", other)
                         : from_vocabulary(*vocab, config, name + ": vocab.txt");
}

FoundTokenizer tokenizer_at(const std::string& path, const OtherTokenizer& other) {
  Metadata found;
  std::string folder = path + "/";
  const auto read = [&](const char* key, const char* name) {
    if (path_kind(folder + name) == PathKind::kFile) found[key] = whole_file(folder + name);
  };
  if (path_kind(path) == PathKind::kFolder) {
    read("tokenizer.json", "tokenizer.json");
    if (found.empty()) found["vocab.txt"] = whole_file(folder + "vocab.txt");
  } else {
    const std::size_t slash = path.rfind('/');
    folder = slash == std::string::npos ? "" : path.substr(0, slash + 1);
    const bool is_json = ends_with(path, ".json");
    found[is_json ? "tokenizer.json" : "vocab.txt"] = whole_file(path);
    if (is_json && path != folder + "tokenizer.json") return tokenizer_of(found, path, other);
  }
  read("tokenizer_config", "tokenizer_config.json");
  read("special_tokens_map.json", "special_tokens_map.json");
  read("added_tokens.json", "added_tokens.json");
  read("source_config", "config.json");
  return tokenizer_of(found, path, other);
}

}  // namespace mbrt
