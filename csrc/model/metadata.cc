#include "model/metadata.h"

#include <cstddef>

#include "base/error.h"
#include "model/json.h"
#include "model/message.h"

namespace mbrt {
namespace {

constexpr char kVersion[] = "1";

const std::string* find(const Metadata& metadata, const char* key) {
  const auto entry = metadata.find(key);
  return entry == metadata.end() ? nullptr : &entry->second;
}

[[noreturn]] void fail(const std::string& what) { throw ModelFormatError(what + kConvertAgain); }

void check_labels(const std::string& text, const ModelConfig& config) {
  JsonReader json(text, "labels");
  std::size_t count = 0;
  json.begin_array();
  for (; json.next_element(); ++count) json.string();
  json.end();
  if (count != config.num_labels) {
    fail("labels: " + thousands(count) + " labels; the configuration has " +
         thousands(config.num_labels) + " outputs.");
  }
}

void check_problem_type(const std::string& text) {
  for (const char* known :
       {"single_label_classification", "multi_label_classification", "regression"}) {
    if (text == known) return;
  }
  fail("problem_type: value " + quoted(text) +
       "; expected single_label_classification, multi_label_classification or regression.");
}

void check_activation(const std::string& text) {
  for (const char* known : {"softmax", "sigmoid", "none"}) {
    if (text == known) return;
  }
  fail("activation: value " + quoted(text) + "; expected softmax, sigmoid or none.");
}

}  // namespace

void check_format(const Metadata& metadata) {
  const std::string* const format = find(metadata, "format");
  if (format == nullptr || *format != "mobilebert_rt") {
    throw ModelFormatError(
        "a safetensors file of another program; expected the metadata format "
        "\"mobilebert_rt\".\nConvert the folder of this file with `mbrt convert`.");
  }
  const std::string* const version = find(metadata, "format_version");
  if (version == nullptr) fail("no format_version in the metadata; expected 1.");
  if (*version == kVersion) return;
  const bool number = !version->empty() && version->size() < 10 && (*version)[0] != '0' &&
                      version->find_first_not_of("0123456789") == std::string::npos;
  if (!number) fail("format_version: " + quoted(*version) + "; expected a number.");
  throw UnsupportedModelError(
      "format_version: " + *version + "; this release reads version " + kVersion +
      ".\nUpgrade mobilebert_rt, or convert the model again with this release's `mbrt convert`.");
}

ModelConfig read_config(const Metadata& metadata) {
  const std::string* const text = find(metadata, "config");
  if (text == nullptr) fail("no config in the metadata.");
  const ModelConfig config = parse_config(*text);
  if (const std::string* labels = find(metadata, "labels")) check_labels(*labels, config);
  if (const std::string* type = find(metadata, "problem_type")) check_problem_type(*type);
  if (const std::string* name = find(metadata, "activation")) check_activation(*name);
  return config;
}

}  // namespace mbrt
