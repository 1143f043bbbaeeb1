#include "model/config.h"

#include <cstdint>
#include <limits>
#include <string>

#include "base/error.h"
#include "model/json.h"
#include "model/message.h"

namespace mbrt {
namespace {

struct Range {
  std::uint64_t min, max;
};

template <typename Value>
struct Choice {
  const char* name;
  Value value;
};

constexpr Choice<Precision> kPrecisions[] = {{"fp32", Precision::kFp32},
                                             {"int8", Precision::kInt8}};
constexpr Choice<Bottleneck> kBottlenecks[] = {{"none", Bottleneck::kNone},
                                               {"shared", Bottleneck::kShared},
                                               {"full", Bottleneck::kFull},
                                               {"residual", Bottleneck::kResidual}};
constexpr Choice<Norm> kNorms[] = {{"layer_norm", Norm::kLayerNorm}, {"no_norm", Norm::kNoNorm}};
#define MBRT_ACTIVATION(enumerator, name) {#name, Activation::enumerator},
constexpr Choice<Activation> kActivations[] = {MBRT_ACTIVATIONS(MBRT_ACTIVATION)};
#undef MBRT_ACTIVATION
constexpr Choice<Pooler> kPoolers[] = {{"none", Pooler::kNone},
                                       {"first_token", Pooler::kFirstToken},
                                       {"tanh", Pooler::kTanh},
                                       {"relu", Pooler::kRelu}};
// In the order of Head.
constexpr HeadTraits kHeads[] = {
    // head, name, reads_tokens, reads_pooled, min_labels, max_labels
    {Head::kNone, "none", false, false, 0, 0},
    {Head::kMaskedLm, "masked_lm", true, false, 0, 0},
    {Head::kPretraining, "pretraining", true, true, 0, 0},
    {Head::kNextSentence, "next_sentence", false, true, 2, 2},
    {Head::kSequenceClassification, "sequence_classification", false, true, 1, 65536},
    {Head::kTokenClassification, "token_classification", true, false, 1, 65536},
    {Head::kQuestionAnswering, "question_answering", true, false, 2, 2},
    {Head::kMultipleChoice, "multiple_choice", false, true, 1, 1},
};

[[noreturn]] void fail(const std::string& what) {
  throw ModelFormatError("config: " + what + kConvertAgain);
}

// Each overload reads one kind of value.

void read(JsonReader* json, const Range& range, std::size_t* out) {
  const std::uint64_t value = json->unsigned_integer();
  if (value < range.min || value > range.max) {
    json->fail("number " + thousands(value) + "; expected " + thousands(range.min) + " to " +
               thousands(range.max));
  }
  *out = static_cast<std::size_t>(value);
}

void read(JsonReader* json, bool* out) { *out = json->boolean(); }

void read(JsonReader* json, float* out) {
  const double value = json->number();
  if (value > 0 && value <= std::numeric_limits<float>::max()) *out = static_cast<float>(value);
  if (!(*out > 0)) json->fail("number out of range; expected a positive 32-bit float");
}

template <typename Named, std::size_t kCount>
const Named& read_name(JsonReader* json, const Named (&choices)[kCount]) {
  const std::string name = json->string();
  std::string known;
  for (const Named& choice : choices) {
    if (name == choice.name) return choice;
    known += std::string(known.empty() ? "" : ", ") + choice.name;
  }
  json->fail("value " + quoted(name) + "; expected one of " + known);
}

template <typename Value, std::size_t kCount>
void read(JsonReader* json, const Choice<Value> (&choices)[kCount], Value* out) {
  *out = read_name(json, choices).value;
}

template <std::size_t kCount>
void read(JsonReader* json, const HeadTraits (&heads)[kCount], Head* out) {
  *out = read_name(json, heads).head;
}

struct Key {
  const char* name;
  void (*read)(JsonReader*, ModelConfig*);
  bool optional = false;
};

// A key's name is its field's name.
#define MBRT_SIZE(field, min, max) \
  {#field, [](JsonReader* json, ModelConfig* c) { read(json, Range{min, max}, &c->field); }}
#define MBRT_CHOICE(field, choices) \
  {#field, [](JsonReader* json, ModelConfig* c) { read(json, choices, &c->field); }}
#define MBRT_VALUE(field) {#field, [](JsonReader* json, ModelConfig* c) { read(json, &c->field); }}
#define MBRT_OPTIONAL(field) \
  {#field, [](JsonReader* json, ModelConfig* c) { read(json, &c->field); }, true}

constexpr Key kKeys[] = {
    MBRT_CHOICE(precision, kPrecisions),
    MBRT_SIZE(vocab_size, 1, 1 << 20),
    MBRT_SIZE(hidden_size, 1, 4096),
    MBRT_SIZE(body_size, 1, 4096),
    MBRT_SIZE(embedding_size, 1, 4096),
    MBRT_SIZE(num_layers, 1, 128),
    MBRT_SIZE(num_heads, 1, 128),
    MBRT_SIZE(intermediate_size, 1, 16384),
    MBRT_SIZE(num_ffn, 1, 16),
    MBRT_SIZE(max_positions, 1, 4096),
    MBRT_SIZE(type_vocab_size, 0, 64),
    MBRT_SIZE(num_labels, 0, 65536),
    MBRT_VALUE(trigram),
    MBRT_CHOICE(bottleneck, kBottlenecks),
    MBRT_CHOICE(norm, kNorms),
    MBRT_CHOICE(activation, kActivations),
    MBRT_CHOICE(mlm_activation, kActivations),
    MBRT_VALUE(eps_embeddings),
    MBRT_VALUE(eps),
    MBRT_VALUE(eps_output),
    MBRT_VALUE(eps_mlm),
    MBRT_CHOICE(pooler, kPoolers),
    MBRT_CHOICE(head, kHeads),
    MBRT_OPTIONAL(causal),
    MBRT_OPTIONAL(embedding_norm),
};
#undef MBRT_SIZE
#undef MBRT_CHOICE
#undef MBRT_VALUE
#undef MBRT_OPTIONAL
constexpr std::size_t kKeyCount = sizeof(kKeys) / sizeof(kKeys[0]);

void check_agreement(const ModelConfig& c) {
  if (c.body_size % c.num_heads != 0) {
    fail("num_heads is " + std::to_string(c.num_heads) + "; expected a divisor of body_size " +
         std::to_string(c.body_size) + ".");
  }
  if (!c.has_bottleneck() && c.body_size != c.hidden_size) {
    fail("body_size is " + std::to_string(c.body_size) +
         "; without a bottleneck expected hidden_size " + std::to_string(c.hidden_size) + ".");
  }
  const HeadTraits& head = head_traits(c.head);
  if (c.num_labels < head.min_labels || c.num_labels > head.max_labels) {
    fail("num_labels is " + thousands(c.num_labels) + "; the head needs " +
         (head.min_labels == head.max_labels ? "exactly " : "at least ") +
         std::to_string(head.min_labels) + ".");
  }
  if (head.reads_pooled && c.pooler == Pooler::kNone) {
    fail("pooler is \"none\"; the head needs a pooled output.");
  }
}

}  // namespace

const HeadTraits& head_traits(Head head) { return kHeads[static_cast<std::size_t>(head)]; }

std::optional<Activation> activation_named(std::string_view name) {
  for (const auto& choice : kActivations) {
    if (name == choice.name) return choice.value;
  }
  return std::nullopt;
}

ModelConfig parse_config(std::string_view text) {
  ModelConfig config;
  bool seen[kKeyCount] = {};
  JsonReader json(text, "config");
  json.begin_object();
  for (std::string name; json.next_key(&name);) {
    std::size_t i = 0;
    while (i < kKeyCount && name != kKeys[i].name) ++i;
    if (i == kKeyCount) json.fail("unknown key");
    if (seen[i]) json.fail("duplicate key");
    seen[i] = true;
    kKeys[i].read(&json, &config);
  }
  json.end();
  for (std::size_t i = 0; i < kKeyCount; ++i) {
    if (!seen[i] && !kKeys[i].optional) fail(std::string("missing key \"") + kKeys[i].name + "\".");
  }
  check_agreement(config);
  return config;
}

}  // namespace mbrt
