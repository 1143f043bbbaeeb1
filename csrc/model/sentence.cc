#include "model/sentence.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <utility>

#include "base/error.h"
#include "model/json.h"
#include "model/message.h"

namespace mbrt {
namespace {

constexpr std::size_t kMaxWidth = 16384;  // of a module

// In the order of PoolingMode.
constexpr std::string_view kModes[] = {"cls",          "max",      "mean", "mean_sqrt_len_tokens",
                                       "weightedmean", "lasttoken"};

[[noreturn]] void fail(const std::string& what) { throw ModelFormatError(what + kConvertAgain); }

const std::string* find(const Metadata& metadata, const char* key) {
  const auto entry = metadata.find(key);
  return entry == metadata.end() ? nullptr : &entry->second;
}

// The index of a key, which may not come twice.
template <std::size_t kCount>
std::size_t key_of(const JsonReader& json, const std::string_view (&keys)[kCount],
                   std::string_view name, bool (&seen)[kCount]) {
  const auto found = std::find(std::begin(keys), std::end(keys), name);
  if (found == std::end(keys)) json.fail("unknown key");
  const auto key = static_cast<std::size_t>(found - std::begin(keys));
  if (std::exchange(seen[key], true)) json.fail("duplicate key");
  return key;
}

// A number that size_t cannot hold (32-bit platforms) becomes its maximum, which is too large everywhere.
std::size_t at_least_1(JsonReader* json, const char* name) {
  const auto value = static_cast<std::size_t>(
      std::min<std::uint64_t>(json->unsigned_integer(), std::numeric_limits<std::size_t>::max()));
  if (value == 0) json->fail(std::string(name) + " is 0; expected at least 1");
  return value;
}

Pooling read_pooling(const std::string& text) {
  constexpr std::string_view kKeys[] = {"mode", "normalize", "max_tokens", "truncate_dim",
                                        "include_prompt"};
  Pooling pooling;
  bool seen[5] = {};
  JsonReader json(text, "pooling");
  json.begin_object();
  for (std::string name; json.next_key(&name);) {
    const std::size_t key = key_of(json, kKeys, name, seen);
    if (key == 0) {
      const std::string mode = json.string();
      pooling.modes = parse_pooling(mode);
      if (pooling.modes.empty()) json.fail("value " + quoted(mode) + "; expected " + kPoolingNames);
    }
    if (key == 1) pooling.normalize = json.boolean();
    if (key == 2) pooling.max_tokens = at_least_1(&json, "max_tokens");
    if (key == 3) pooling.truncate_dim = at_least_1(&json, "truncate_dim");
    if (key == 4) pooling.include_prompt = json.boolean();
  }
  json.end();
  if (!seen[0] || !seen[1]) fail("pooling: missing key; expected \"mode\" and \"normalize\".");
  return pooling;
}

ModuleConfig read_module(JsonReader* json, std::size_t inputs) {
  constexpr std::string_view kKeys[] = {"type", "outputs", "activation", "residual"};
  constexpr std::string_view kTypes[] = {"dense", "layer_norm", "normalize"};
  ModuleConfig module{.inputs = inputs, .outputs = inputs, .activation = {}};
  bool seen[4] = {};
  json->begin_object();
  for (std::string name; json->next_key(&name);) {
    const std::size_t key = key_of(*json, kKeys, name, seen);
    if (key == 3) {
      module.residual = json->boolean();
    } else if (key == 1) {
      module.outputs = at_least_1(json, "outputs");
    } else {
      const std::string value = json->string();
      if (key == 0) {
        const auto type = std::find(std::begin(kTypes), std::end(kTypes), value);
        if (type == std::end(kTypes)) {
          json->fail("value " + quoted(value) + "; expected dense, layer_norm or normalize");
        }
        module.kind = static_cast<ModuleKind>(type - std::begin(kTypes));
      } else if (value != "none") {
        module.activation = activation_named(value);
        if (!module.activation) json->fail("activation " + quoted(value) + " is unknown");
      }
    }
  }
  const bool dense = module.kind == ModuleKind::kDense;
  if (!seen[0] || seen[1] != dense || seen[2] != dense || (seen[3] && !dense)) {
    json->fail(
        "wrong keys of a module; expected \"type\", and of dense \"outputs\" and \"activation\"");
  }
  if (std::max(module.inputs, module.outputs) > kMaxWidth) {
    json->fail("a module of " + thousands(module.inputs) + " inputs and " +
               thousands(module.outputs) + " outputs; expected at most " + thousands(kMaxWidth));
  }
  return module;
}

std::vector<ModuleConfig> read_modules(const std::string& text, std::size_t width) {
  constexpr std::size_t kMaxModules = 16;
  std::vector<ModuleConfig> modules;
  JsonReader json(text, "modules");
  json.begin_array();
  while (json.next_element()) {
    if (modules.size() == kMaxModules) json.fail("more than 16 modules");
    modules.push_back(read_module(&json, width));
    width = modules.back().outputs;
  }
  json.end();
  return modules;
}

std::map<std::string, std::string> read_prompts(const std::string& text) {
  std::map<std::string, std::string> prompts;
  JsonReader json(text, "prompts");
  json.begin_object();
  for (std::string name; json.next_key(&name);) {
    if (!prompts.emplace(name, json.string()).second) json.fail("duplicate key");
  }
  json.end();
  return prompts;
}

}  // namespace

const char kPoolingNames[] =
    "cls, max, mean, mean_sqrt_len_tokens, weightedmean or lasttoken, or several joined by +";

std::vector<PoolingMode> parse_pooling(std::string_view text) {
  std::vector<PoolingMode> modes;
  for (bool more = true; more;) {
    const std::size_t plus = text.find('+');
    const auto mode = std::find(std::begin(kModes), std::end(kModes), text.substr(0, plus));
    if (mode == std::end(kModes)) return {};
    modes.push_back(static_cast<PoolingMode>(mode - std::begin(kModes)));
    if (std::count(modes.begin(), modes.end(), modes.back()) > 1) return {};
    more = plus != std::string_view::npos;
    if (more) text.remove_prefix(plus + 1);
  }
  return modes;
}

std::string pooling_text(const std::vector<PoolingMode>& modes) {
  std::string text;
  for (const PoolingMode mode : modes) {
    text += text.empty() ? "" : "+";
    text += kModes[static_cast<std::size_t>(mode)];
  }
  return text;
}

const std::string& SentenceConfig::prompt(const std::string& name) const {
  static const std::string kEmpty;
  const auto found = prompts.find(name);
  if (found != prompts.end()) return found->second;
  if (name == "query" || name == "document") return kEmpty;
  std::string known;
  for (const auto& [key, text] : prompts) known += (known.empty() ? "" : ", ") + quoted(key);
  throw InputError("prompt_name: found " + quoted(name) + "; expected " +
                   (known.empty() ? "none, the model has no prompts" : known) +
                   ". Give the text itself as prompt.");
}

std::string SentenceConfig::default_text() const {
  return default_prompt.empty() ? "" : prompt(default_prompt);
}

SentenceConfig read_sentence(const Metadata& metadata, const ModelConfig& config) {
  SentenceConfig sentence;
  if (const std::string* text = find(metadata, "pooling")) sentence.pooling = read_pooling(*text);
  if (const std::string* text = find(metadata, "modules")) {
    sentence.modules = read_modules(*text, config.hidden_size * sentence.pooling.modes.size());
  }
  if (const std::string* text = find(metadata, "prompts")) sentence.prompts = read_prompts(*text);
  if (const std::string* name = find(metadata, "default_prompt")) {
    if (sentence.prompts.count(*name) == 0) {
      fail("default_prompt: value " + quoted(*name) + "; expected a key of prompts.");
    }
    sentence.default_prompt = *name;
  }
  return sentence;
}

}  // namespace mbrt
