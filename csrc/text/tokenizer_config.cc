#include "text/tokenizer_config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "base/error.h"
#include "model/json.h"
#include "model/message.h"
#include "text/core.h"

namespace mbrt::text {
namespace {

// The classes whose code is BertTokenizer's, without "Fast".
constexpr std::string_view kBertClasses =
    " BertTokenizer MobileBertTokenizer DistilBertTokenizer ElectraTokenizer ConvBertTokenizer "
    "LayoutLMTokenizer LxmertTokenizer RetriBertTokenizer RealmTokenizer SqueezeBertTokenizer "
    "DPRQuestionEncoderTokenizer DPRContextEncoderTokenizer DPRReaderTokenizer ";
// Model types whose tokenizer is of such a class when no file says one.
constexpr std::string_view kBertTypes = " bert distilbert mobilebert electra convbert ";
constexpr std::string_view kGenericClasses = " PreTrainedTokenizer TokenizersBackend ";
// Special tokens in the order of transformers; BERT's own are the last five.
constexpr std::array<const char*, 7> kNames = {"bos_token", "eos_token", "unk_token", "sep_token",
                                               "pad_token", "cls_token", "mask_token"};
constexpr std::size_t kFirstOfBert = 2;

[[noreturn]] void refuse(const std::string& source, const std::string& what) {
  throw UnsupportedModelError(source + ": " + what);
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

bool is_one_of(std::string_view classes, std::string_view name) {
  if (ends_with(name, "Fast")) name.remove_suffix(4);
  return classes.find(" " + std::string(name) + " ") != std::string_view::npos;
}

// A token as a string, or as an object; nullopt, and the value is skipped, for anything else. Tokens are
// found in the normalised text by default when they are not special.
std::optional<AddedToken> read_token(JsonReader* json, bool special) {
  AddedToken token;
  if (json->peek_value() == '"') {
    token.content = json->string();
    return token;
  }
  if (json->peek_value() != '{') {
    json->skip();
    return std::nullopt;
  }
  bool is_normalized_given = false;
  json->begin_object();
  for (std::string key; json->next_key(&key);) {
    is_normalized_given = is_normalized_given || key == "normalized";
    if (key == "special") {
      special = json->boolean() || special;
    } else if (!read_token_field(json, key, &token)) {
      json->skip();
    }
  }
  if (!is_normalized_given) token.normalized = !special;
  return token;
}

void check_truncation_side(const std::string& side, const std::string& source) {
  if (side == "right") return;
  refuse(source,
         "truncation_side: found " + quoted(side) +
             "; expected \"right\", the only side where long texts are cut here. Change it if "
             "all your texts are short enough.");
}

// Tokens by content, in the order of their first mention.
class Tokens {
 public:
  bool empty() const { return tokens_.empty(); }
  bool has(const std::string& content) const { return contents_.count(content) > 0; }
  void add(AddedToken token) {
    if (!token.content.empty() && contents_.insert(token.content).second) {
      tokens_.push_back(std::move(token));
    }
  }
  const std::vector<AddedToken>& all() const { return tokens_; }

 private:
  std::vector<AddedToken> tokens_;
  std::set<std::string> contents_;
};

class Reader {
 public:
  Reader(TokenizerConfig* config, std::string source) : out_(*config), source_(std::move(source)) {}

  void tokenizer_config(const std::string& text) {
    const std::string name = source_ + ": tokenizer_config";
    JsonReader json(text, name);
    json.begin_object();
    for (std::string key; json.next_key(&key);) {
      if (key == "tokenizer_class") {
        read_class(&json);
      } else if (key == "do_lower_case") {
        if (!json.null()) out_.settings.lowercase = json.boolean();
      } else if (key == "strip_accents") {
        if (!json.null()) out_.settings.strip_accents = json.boolean();
      } else if (key == "tokenize_chinese_chars") {
        if (!json.null()) out_.settings.handle_chinese_chars = json.boolean();
      } else if (key == "model_max_length" || key == "max_len") {
        read_max_length(&json);
      } else if (key == "added_tokens_decoder") {
        read_decoder(&json);
      } else if (key == "split_special_tokens") {
        if (!json.null() && json.boolean()) {
          refuse(name,
                 "split_special_tokens is true; expected false. Special tokens cannot be split.");
        }
      } else if (key == "truncation_side") {
        if (!json.null()) check_truncation_side(json.string(), name);
      } else if (key == "additional_special_tokens" || key == "extra_special_tokens") {
        read_extra(&json, &extra_);
      } else if (ends_with(key, "_token")) {
        read_named(&json, key);
      } else {
        json.skip();
      }
    }
    json.end();
  }

  void special_tokens_map(const std::string& text) {
    const std::string name = source_ + ": special_tokens_map.json";
    JsonReader json(text, name);
    json.begin_object();
    for (std::string key; json.next_key(&key);) {
      if (key == "additional_special_tokens") {
        Tokens more;
        read_extra(&json, &more);
        for (const AddedToken& token : more.all()) {
          if (extra_.empty() || extra_.has(token.content)) continue;
          refuse(name,
                 "additional_special_tokens has " + quoted(token.content) +
                     ", that of tokenizer_config.json not; expected the same tokens. Versions 4 "
                     "and 5 of transformers differ in such a folder; make the files agree.");
        }
        if (extra_.empty()) extra_ = std::move(more);
      } else if (key == "extra_special_tokens") {
        read_extra(&json, &extra_);
      } else {
        read_named(&json, key);
      }
    }
    json.end();
  }

  void added_tokens(const std::string& text) {
    const std::string name = source_ + ": added_tokens.json";
    JsonReader json(text, name);
    json.begin_object();
    for (std::string content; json.next_key(&content);) {
      AddedToken token;
      token.content = content;
      token.id = checked_id(json, json.unsigned_integer());
      token.normalized = !is_named(content);
      out_.declared.push_back(std::move(token));
    }
    json.end();
  }

  // False for a model type whose tokenizer is not BERT's.
  bool model_config(const std::string& text) {
    const std::string name = source_ + ": config.json";
    JsonReader json(text, name);
    bool is_bert = true;
    json.begin_object();
    for (std::string key; json.next_key(&key);) {
      if (key == "tokenizer_class" && out_.tokenizer_class.empty()) {
        read_class(&json);
      } else if (key == "model_type" && json.peek_value() == '"') {
        is_bert = kBertTypes.find(" " + json.string() + " ") != std::string_view::npos;
      } else {
        json.skip();
      }
    }
    json.end();
    return is_bert;
  }

  // kind: of a tokenizer whose class no file says.
  void finish(TokenizerConfig::Kind kind) {
    out_.kind = out_.tokenizer_class.empty()                       ? kind
                : is_one_of(kBertClasses, out_.tokenizer_class)    ? TokenizerConfig::Kind::kBert
                : is_one_of(kGenericClasses, out_.tokenizer_class) ? TokenizerConfig::Kind::kGeneric
                                                                   : TokenizerConfig::Kind::kOther;
    Tokens special;
    for (std::size_t i = 0; i < kNames.size(); ++i)
      add_named(kNames[i], i >= kFirstOfBert, &special);
    for (const AddedToken& token : extra_.all()) special.add(token);
    out_.special = special.all();
    for (const AddedToken& token : out_.declared) special.add(token);
    for (const auto& [key, token] : named_) {
      if (token.content.empty() || special.has(token.content)) continue;
      refuse(source_,
             "tokenizer_config.json has the special token " + key +
                 ", which version 5 of transformers adds and version 4 does not. Remove it, "
                 "or declare it in added_tokens_decoder.");
    }
    sort_declared();
  }

 private:
  // std::stable_sort of GCC 12's library uses what clang 19 reports as deprecated.
  void sort_declared() {
    std::multimap<std::int32_t, AddedToken> sorted;
    for (AddedToken& token : out_.declared) sorted.emplace(token.id, std::move(token));
    out_.declared.clear();
    for (auto& [id, token] : sorted) out_.declared.push_back(std::move(token));
  }

  static std::int32_t checked_id(const JsonReader& json, std::uint64_t id) {
    if (id > std::numeric_limits<std::int32_t>::max()) json.fail("an id that is too large");
    return static_cast<std::int32_t>(id);
  }

  void read_class(JsonReader* json) {
    if (!json->null()) out_.tokenizer_class = json->string();
  }

  // transformers writes 1e30 for "no limit".
  void read_max_length(JsonReader* json) {
    const char first = json->peek_value();
    if (first < '0' || first > '9') return json->skip();
    const double value = json->number();
    if (value >= 1 && value < 1e9) out_.max_length = static_cast<std::size_t>(value);
  }

  void read_decoder(JsonReader* json) {
    out_.has_decoder = true;
    json->begin_object();
    for (std::string key; json->next_key(&key);) {
      std::uint64_t id = 0;
      const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
      if (error != std::errc() || end != key.data() + key.size()) json->fail("expected an id");
      std::optional<AddedToken> token = read_token(json, false);
      if (!token) json->fail("expected an added token");
      token->id = checked_id(*json, id);
      out_.declared.push_back(std::move(*token));
    }
  }

  // A list, or an object of names and tokens.
  static void read_extra(JsonReader* json, Tokens* extra) {
    const auto read = [&] {
      if (std::optional<AddedToken> token = read_token(json, true)) extra->add(std::move(*token));
    };
    if (json->peek_value() == '[') {
      for (json->begin_array(); json->next_element();) read();
    } else if (json->peek_value() == '{') {
      json->begin_object();
      for (std::string key; json->next_key(&key);) read();
    } else {
      json->skip();
    }
  }

  void read_named(JsonReader* json, const std::string& key) {
    const bool is_null = json->peek_value() == 'n';
    const std::optional<AddedToken> token = read_token(json, true);
    if (is_null || (token && !token->content.empty())) named_[key] = token.value_or(AddedToken{});
  }

  bool is_named(const std::string& content) const {
    return extra_.has(content) || std::any_of(kNames.begin(), kNames.end(), [&](const char* key) {
             const auto found = named_.find(key);
             return found != named_.end() && found->second.content == content;
           });
  }

  // The special token of that name: what the files say, or BERT's own.
  void add_named(const std::string& key, bool of_bert, Tokens* special) {
    const auto found = named_.find(key);
    AddedToken token;
    std::string* const setting = setting_of(key);
    if (found != named_.end()) {
      token = found->second;
      named_.erase(found);
      if (setting != nullptr && !token.content.empty()) *setting = token.content;
    } else if (of_bert && out_.kind == TokenizerConfig::Kind::kBert) {
      token.content = *setting;
    }
    token.implied = true;
    if (key == kNames.back() && !token.content.empty()) out_.mask = token.content;
    special->add(std::move(token));
  }

  std::string* setting_of(const std::string& key) {
    Settings& s = out_.settings;
    return key == "unk_token"    ? &s.unk
           : key == "sep_token"  ? &s.sep
           : key == "cls_token"  ? &s.cls
           : key == "pad_token"  ? &s.pad
           : key == "mask_token" ? &s.mask
                                 : nullptr;
  }

  TokenizerConfig& out_;
  const std::string source_;
  std::map<std::string, AddedToken> named_;  // by key; without content: the file says null
  Tokens extra_;
};

}  // namespace

TokenizerConfig read_tokenizer_config(const ConfigFiles& files, bool is_json,
                                      const std::string& source) {
  TokenizerConfig config;
  Reader reader(&config, source);
  if (files.tokenizer_config != nullptr) reader.tokenizer_config(*files.tokenizer_config);
  if (!config.has_decoder) {
    if (files.special_tokens_map != nullptr) reader.special_tokens_map(*files.special_tokens_map);
    if (files.added_tokens != nullptr) reader.added_tokens(*files.added_tokens);
  }
  bool is_bert = files.tokenizer_config != nullptr;
  if (files.model_config != nullptr) is_bert = reader.model_config(*files.model_config);
  reader.finish(!is_json || is_bert ? TokenizerConfig::Kind::kBert
                                    : TokenizerConfig::Kind::kGeneric);
  return config;
}

}  // namespace mbrt::text
