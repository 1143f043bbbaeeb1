// tokenizer.json: the parts that make BERT's tokenizer, everything else refused by its name.
#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "model/json.h"
#include "model/message.h"
#include "text/core.h"

namespace mbrt::text {
namespace {

[[noreturn]] void unsupported(std::string_view source, const std::string& what) {
  throw UnsupportedModelError(std::string(source) + ": " + what +
                              "\nSupported are BERT's own parts: BertNormalizer, BertPreTokenizer, "
                              "WordPiece, [CLS] and [SEP] around the texts.");
}

std::int32_t read_id(JsonReader* json) {
  const std::uint64_t id = json->unsigned_integer();
  if (id > std::numeric_limits<std::int32_t>::max()) json->fail("an id that is too large");
  return static_cast<std::int32_t>(id);
}

// The keys of one object: each once, and none missing.
class Keys {
 public:
  Keys(JsonReader* json, std::string_view what) : json_(json), what_(what) {}

  bool next(std::string* key) {
    if (!json_->next_key(key)) return false;
    if (has(*key)) json_->fail("the same key twice");
    if (seen_.size() == kMax) json_->fail("too many keys");
    seen_.push_back(*key);
    return true;
  }
  bool has(std::string_view key) const {
    return std::find(seen_.begin(), seen_.end(), key) != seen_.end();
  }
  void require(std::initializer_list<std::string_view> keys) const {
    for (const std::string_view key : keys) {
      if (!has(key))
        json_->fail(std::string(what_) + " lacks the key " + quoted(key) + ", which was expected");
    }
  }

 private:
  static constexpr std::size_t kMax = 64;  // searched linearly

  JsonReader* json_;
  std::string_view what_;
  std::vector<std::string> seen_;
};

// One of the tokenizer's parts, an object with a type.
class Part {
 public:
  Part(JsonReader* json, std::string_view source, std::string_view what,
       std::vector<std::string_view> types)
      : json_(json), source_(source), what_(what), types_(std::move(types)), keys_(json, what) {}

  // field(key) reads the value of a key, or returns false when it knows no such key.
  template <typename Field>
  void read(Field&& field) {
    if (json_->null()) unsupported(source_, "it has no " + std::string(what_) + ".");
    json_->begin_object();
    std::string unknown;
    for (std::string key; keys_.next(&key);) {
      if (key == "type") {
        type_ = json_->string();
      } else if (other_type() || !field(key)) {
        json_->skip();
        if (unknown.empty()) unknown = key;
      }
    }
    if (type_.empty()) json_->fail(std::string(what_) + " without a type");
    if (other_type())
      unsupported(source_, "its " + std::string(what_) + " is " + quoted(type_) + ".");
    if (!unknown.empty()) {
      unsupported(source_,
                  "its " + std::string(what_) + " has the unknown field " + quoted(unknown) + ".");
    }
  }

  const std::string& type() const { return type_; }
  void require(std::initializer_list<std::string_view> keys) const { keys_.require(keys); }

 private:
  bool other_type() const {
    return !type_.empty() && std::find(types_.begin(), types_.end(), type_) == types_.end();
  }

  JsonReader* json_;
  std::string_view source_;
  std::string_view what_;
  std::vector<std::string_view> types_;
  Keys keys_;
  std::string type_;
};

void read_normalizer(JsonReader* json, std::string_view source, Settings* s) {
  Part part(json, source, "normalizer", {"BertNormalizer"});
  part.read([&](const std::string& key) {
    if (key == "clean_text") {
      s->clean_text = json->boolean();
    } else if (key == "handle_chinese_chars") {
      s->handle_chinese_chars = json->boolean();
    } else if (key == "lowercase") {
      s->lowercase = json->boolean();
    } else if (key == "strip_accents") {
      if (!json->null()) s->strip_accents = json->boolean();
    } else {
      return false;
    }
    return true;
  });
  part.require({"clean_text", "handle_chinese_chars", "strip_accents", "lowercase"});
}

void read_pieces(JsonReader* json, PieceList* pieces) {
  json->begin_object();
  for (std::size_t begin; begin = pieces->text.size(), json->append_key(&pieces->text);) {
    pieces->add_end(begin, read_id(json));
  }
}

void read_model(JsonReader* json, std::string_view source, Description* d) {
  Part part(json, source, "model", {"WordPiece"});
  part.read([&](const std::string& key) {
    if (key == "unk_token") {
      d->settings.unk = json->string();
    } else if (key == "continuing_subword_prefix") {
      d->settings.prefix = json->string();
    } else if (key == "max_input_chars_per_word") {
      const std::uint64_t max_size = json->unsigned_integer();
      d->settings.max_word_chars =
          static_cast<std::size_t>(std::min<std::uint64_t>(max_size, SIZE_MAX));
    } else if (key == "vocab") {
      read_pieces(json, &d->pieces);
    } else {
      return false;
    }
    return true;
  });
  part.require({"unk_token", "continuing_subword_prefix", "max_input_chars_per_word", "vocab"});
}

AddedToken read_added_token(JsonReader* json) {
  AddedToken token;
  Keys keys(json, "an added token");
  json->begin_object();
  for (std::string key; keys.next(&key);) {
    if (key == "id") {
      token.id = read_id(json);
    } else if (key == "special") {
      json->boolean();  // says how to decode
    } else if (!read_token_field(json, key, &token)) {
      json->fail("an unknown field of an added token");
    }
  }
  keys.require({"id", "content", "single_word", "lstrip", "rstrip", "normalized", "special"});
  return token;
}

// A name and an id, as ["[SEP]", 102].
std::pair<std::string, std::int32_t> read_named_id(JsonReader* json) {
  json->begin_array();
  if (!json->next_element()) json->fail("expected a token and its id");
  std::string name = json->string();
  if (!json->next_element()) json->fail("expected the token's id");
  const std::int32_t id = read_id(json);
  if (json->next_element()) json->fail("something behind the token's id");
  return {std::move(name), id};
}

// One step of a template.
struct Step {
  bool sequence;  // a text, not a special token
  std::string id;
  std::uint64_t type;
  bool operator==(const Step& o) const {
    return sequence == o.sequence && id == o.id && type == o.type;
  }
};

Step read_step(JsonReader* json) {
  Step step{};
  std::string kind;
  json->begin_object();
  if (!json->next_key(&kind)) json->fail("an empty step of a template");
  step.sequence = kind == "Sequence";
  if (!step.sequence && kind != "SpecialToken") json->fail("an unknown step of a template");
  Keys keys(json, "a step of a template");
  json->begin_object();
  for (std::string key; keys.next(&key);) {
    if (key == "id") {
      step.id = json->string();
    } else if (key == "type_id") {
      step.type = json->unsigned_integer();
    } else {
      json->fail("an unknown field of a template's step");
    }
  }
  keys.require({"id", "type_id"});
  if (json->next_key(&kind)) json->fail("a step of a template with two kinds");
  return step;
}

std::vector<Step> read_steps(JsonReader* json) {
  std::vector<Step> steps;
  for (json->begin_array(); json->next_element();) steps.push_back(read_step(json));
  return steps;
}

struct NamedId {
  std::string name;
  std::int32_t id;
};

// {"[CLS]": {"id": "[CLS]", "ids": [101], "tokens": ["[CLS]"]}, ...}: the first id of each name, -1
// for a name that stands for several.
std::vector<NamedId> read_special_tokens(JsonReader* json) {
  std::vector<NamedId> found;
  json->begin_object();
  for (std::string name; json->next_key(&name);) {
    std::vector<std::int32_t> ids;
    Keys keys(json, "a template's special token");
    json->begin_object();
    for (std::string key; keys.next(&key);) {
      if (key != "ids") {
        json->skip();
        continue;
      }
      for (json->begin_array(); json->next_element();) ids.push_back(read_id(json));
    }
    found.push_back({name, ids.size() == 1 ? ids[0] : -1});
  }
  return found;
}

void read_post_processor(JsonReader* json, std::string_view source, Description* d) {
  Part part(json, source, "post-processor", {"BertProcessing", "TemplateProcessing"});
  std::vector<Step> single;
  std::vector<Step> pair;
  std::vector<NamedId> tokens;
  std::pair<std::string, std::int32_t> cls;
  std::pair<std::string, std::int32_t> sep;
  part.read([&](const std::string& key) {
    if (key == "cls") {
      cls = read_named_id(json);
    } else if (key == "sep") {
      sep = read_named_id(json);
    } else if (key == "single") {
      single = read_steps(json);
    } else if (key == "pair") {
      pair = read_steps(json);
    } else if (key == "special_tokens") {
      tokens = read_special_tokens(json);
    } else {
      return false;
    }
    return true;
  });
  if (part.type() == "BertProcessing") {
    part.require({"cls", "sep"});
  } else {
    part.require({"single", "pair", "special_tokens"});
    if (single.size() == 3) {
      cls.first = single[0].id;
      sep.first = single[2].id;
    }
    const Step begin{false, cls.first, 0};
    const Step first{true, "A", 0};
    const Step end{false, sep.first, 0};
    if (single != std::vector<Step>{begin, first, end} ||
        pair != std::vector<Step>{begin, first, end, {true, "B", 1}, {false, sep.first, 1}}) {
      unsupported(source, "its template is not [CLS] A [SEP] and [CLS] A [SEP] B [SEP].");
    }
    const auto id_of = [&](const std::string& name) {
      for (const NamedId& t : tokens) {
        if (t.name == name && t.id >= 0) return t.id;
      }
      json->fail("the template's special token " + quoted(name) + " has not one id");
    };
    cls.second = id_of(cls.first);
    sep.second = id_of(sep.first);
  }
  d->settings.cls = cls.first;
  d->settings.sep = sep.first;
  d->cls_id = cls.second;
  d->sep_id = sep.second;
}

}  // namespace

bool read_token_field(JsonReader* json, const std::string& key, AddedToken* token) {
  if (key == "content") {
    token->content = json->string();
    return true;
  }
  bool* const flag = key == "single_word"  ? &token->single_word
                     : key == "lstrip"     ? &token->lstrip
                     : key == "rstrip"     ? &token->rstrip
                     : key == "normalized" ? &token->normalized
                                           : nullptr;
  if (flag != nullptr) *flag = json->boolean();
  return flag != nullptr;
}

Description read_tokenizer_json(std::string_view text, std::string_view source) {
  Description d;
  JsonReader json(text, source);
  Keys keys(&json, "the tokenizer");
  json.begin_object();
  for (std::string key; keys.next(&key);) {
    if (key == "model") {
      read_model(&json, source, &d);
    } else if (key == "normalizer") {
      read_normalizer(&json, source, &d.settings);
    } else if (key == "pre_tokenizer") {
      Part(&json, source, "pre-tokenizer", {"BertPreTokenizer"}).read([](const std::string&) {
        return false;
      });
    } else if (key == "post_processor") {
      read_post_processor(&json, source, &d);
    } else if (key == "added_tokens") {
      for (json.begin_array(); json.next_element();) d.added.push_back(read_added_token(&json));
    } else if (key == "version" || key == "truncation" || key == "padding" || key == "decoder") {
      json.skip();
    } else {
      unsupported(source, "it has the unknown part " + quoted(key) + ".");
    }
  }
  json.end();
  keys.require({"added_tokens", "normalizer", "pre_tokenizer", "post_processor", "model"});
  return d;
}

}  // namespace mbrt::text
