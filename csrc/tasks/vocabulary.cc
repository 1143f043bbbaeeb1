#include "tasks/vocabulary.h"

#include <sys/stat.h>

#include <vector>

#include "base/mapped_file.h"
#include "model/json.h"

namespace mbrt {
namespace {

const std::string* find(const Metadata& metadata, const char* key) {
  const auto entry = metadata.find(key);
  return entry == metadata.end() || entry->second.empty() ? nullptr : &entry->second;
}

// A special token: a string, or an object whose "content" is one. False when it is neither, or
// empty.
bool read_token(JsonReader& json, std::string* token) {
  std::string found;
  if (json.peek_value() == '"') {
    found = json.string();
  } else if (json.peek_value() == '{') {
    json.begin_object();
    for (std::string key; json.next_key(&key);) {
      if (key == "content" && json.peek_value() == '"') {
        found = json.string();
      } else {
        json.skip();
      }
    }
  } else {
    json.skip();
  }
  if (!found.empty()) *token = found;
  return !found.empty();
}

// A switch: true, false, or null, which leaves it as it is.
template <typename Switch>
void read_switch(JsonReader& json, Switch* value) {
  if (!json.null()) *value = json.boolean();
}

// Calls read(); its errors name the tokenizer's source.
template <typename Read>
std::shared_ptr<const text::Tokenizer> named(const std::string& source, const Read& read) {
  try {
    return read();
  } catch (const ModelFormatError& error) {
    throw ModelFormatError(source + ": " + error.what());
  } catch (const UnsupportedModelError& error) {
    throw UnsupportedModelError(source + ": " + error.what());
  }
}

FoundTokenizer from_json(std::string_view json, const TokenizerSettings& settings,
                         const std::string& source, const OtherTokenizer& other) {
  std::optional<std::string> mask;
  if (settings.mask_is_named) mask = settings.text.mask;
  return {tokenizer_from_json(json, source, other), mask};
}

FoundTokenizer from_vocabulary(std::string_view vocab, const TokenizerSettings& settings,
                               const std::string& source) {
  return {named(source, [&] { return text::WordPiece::from_vocabulary(vocab, settings.text); }),
          settings.text.mask};
}

bool is_of_kind(const std::string& path, mode_t kind) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && (status.st_mode & S_IFMT) == kind;
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
  for (const std::string& token :
       mask ? std::vector<std::string>{*mask} : std::vector<std::string>{"[MASK]", "<mask>"}) {
    if (tokenizer->id(token)) return token;
  }
  return std::nullopt;
}

TokenizerSettings read_settings(std::string_view text, const std::string& source) {
  TokenizerSettings settings;
  const std::string name = source + ": tokenizer_config";
  JsonReader json(text, name);
  json.begin_object();
  for (std::string key; json.next_key(&key);) {
    if (key == "do_lower_case") {
      read_switch(json, &settings.text.lowercase);
    } else if (key == "strip_accents") {
      read_switch(json, &settings.text.strip_accents);
    } else if (key == "tokenize_chinese_chars") {
      read_switch(json, &settings.text.handle_chinese_chars);
    } else if (key == "unk_token") {
      read_token(json, &settings.text.unk);
    } else if (key == "cls_token") {
      read_token(json, &settings.text.cls);
    } else if (key == "sep_token") {
      read_token(json, &settings.text.sep);
    } else if (key == "pad_token") {
      read_token(json, &settings.text.pad);
    } else if (key == "mask_token") {
      settings.mask_is_named = read_token(json, &settings.text.mask);
    } else {
      json.skip();
    }
  }
  json.end();
  return settings;
}

std::shared_ptr<const text::Tokenizer> tokenizer_from_json(std::string_view json,
                                                           const std::string& source,
                                                           const OtherTokenizer& other) {
  return named(source, [&]() -> std::shared_ptr<const text::Tokenizer> {
    try {
      return text::WordPiece::from_json(json);
    } catch (const UnsupportedModelError& error) {
      if (!other) throw;
      return other(json, error);
    }
  });
}

FoundTokenizer tokenizer_of(const Metadata& metadata, const std::string& name,
                            const OtherTokenizer& other) {
  const std::string* const config = find(metadata, "tokenizer_config");
  const TokenizerSettings settings =
      config == nullptr ? TokenizerSettings{} : read_settings(*config, name);
  if (const std::string* json = find(metadata, "tokenizer.json")) {
    return from_json(*json, settings, name + ": tokenizer.json", other);
  }
  if (const std::string* vocab = find(metadata, "vocab.txt")) {
    return from_vocabulary(*vocab, settings, name + ": vocab.txt");
  }
  throw ModelFormatError(
      name +
      " holds no tokenizer. Convert the model again from a folder that has tokenizer.json or "
      "vocab.txt, or give the path of one (on the command line: --tokenizer PATH).");
}

FoundTokenizer tokenizer_at(const std::string& path, const OtherTokenizer& other) {
  std::string found = path;
  if (is_of_kind(path, S_IFDIR)) {
    found = path + "/tokenizer.json";
    if (!is_of_kind(found, S_IFREG)) found = path + "/vocab.txt";
  }
  const std::string text = whole_file(found);
  const std::size_t slash = found.rfind('/');
  const std::string beside =
      (slash == std::string::npos ? "" : found.substr(0, slash + 1)) + "tokenizer_config.json";
  TokenizerSettings settings;
  if (is_of_kind(beside, S_IFREG)) settings = read_settings(whole_file(beside), beside);
  return ends_with(found, ".json") ? from_json(text, settings, found, other)
                                   : from_vocabulary(text, settings, found);
}

}  // namespace mbrt
