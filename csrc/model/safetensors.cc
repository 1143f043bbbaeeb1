#include "model/safetensors.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/aligned.h"
#include "base/checked.h"
#include "base/error.h"
#include "model/foreign_file.h"
#include "model/json.h"
#include "model/message.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "model files are used in place");

namespace mbrt {
namespace {

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // as in safetensors
constexpr std::size_t kMaxTensors = 32'768;  // the largest legal configuration has 24,500
constexpr std::size_t kMaxDimensions = 8;

[[noreturn]] void fail(const std::string& what) { throw ModelFormatError(what + kConvertAgain); }

[[noreturn]] void fail(const TensorInfo& tensor, const std::string& what) {
  fail("tensor " + quoted(tensor.name) + ": " + what);
}

// Names the format of bytes that have no header, if it is known.
void refuse_foreign(std::string_view bytes) {
  if (const ForeignFile* found = foreign_file(bytes)) {
    throw ModelFormatError(std::string("found ") + found->name + "; expected a model file. " +
                           found->fix);
  }
}

void read_metadata(JsonReader* json, Metadata* metadata) {
  json->begin_object();
  for (std::string key; json->next_key(&key);) {
    std::string value = json->string();
    if (!metadata->emplace(key, std::move(value)).second) json->fail("duplicate key");
  }
}

void read_shape(JsonReader* json, TensorInfo* tensor) {
  json->begin_array();
  while (json->next_element()) {
    if (tensor->shape.size() == kMaxDimensions)
      json->fail("more than 8 dimensions; at most 8 are allowed");
    tensor->shape.push_back(json->unsigned_integer());
  }
}

void read_offsets(JsonReader* json, TensorInfo* tensor) {
  json->begin_array();
  for (std::uint64_t* offset : {&tensor->begin, &tensor->end}) {
    if (!json->next_element()) json->fail("expected two offsets");
    *offset = json->unsigned_integer();
  }
  if (json->next_element()) json->fail("more than two offsets; expected begin and end");
}

void read_tensor(JsonReader* json, TensorInfo* tensor) {
  constexpr std::string_view kFields[] = {"dtype", "shape", "data_offsets"};
  bool seen[3] = {};
  json->begin_object();
  for (std::string key; json->next_key(&key);) {
    const auto field = static_cast<std::size_t>(std::find(kFields, kFields + 3, key) - kFields);
    if (field == 3) json->fail("unknown key");
    if (std::exchange(seen[field], true)) json->fail("duplicate key");
    if (field == 0) tensor->dtype = json->string();
    if (field == 1) read_shape(json, tensor);
    if (field == 2) read_offsets(json, tensor);
  }
  for (std::size_t i = 0; i < 3; ++i) {
    if (!seen[i])
      fail(*tensor,
           "the header has no " + quoted(kFields[i]) + "; expected dtype, shape and data_offsets.");
  }
}

void refuse_duplicates(const std::vector<TensorInfo>& tensors) {
  std::vector<std::string_view> names;
  names.reserve(tensors.size());
  for (const TensorInfo& tensor : tensors) names.push_back(tensor.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) fail("tensor " + quoted(*twice) + ": duplicate name in the header.");
}

void check_tensor(const TensorInfo& tensor, std::uint64_t data_bytes) {
  if (tensor.dtype != "F32" && tensor.dtype != "I8") {
    fail(tensor, "type " + quoted(tensor.dtype) + "; expected F32 or I8.");
  }
  std::optional<std::uint64_t> needed = tensor.dtype == "F32" ? 4 : 1;
  for (const std::uint64_t dimension : tensor.shape) {
    if (dimension == 0)
      fail(tensor,
           "shape " + shape_text(tensor.shape) + " is empty; expected sizes of at least 1.");
    if (needed) needed = checked_mul(*needed, dimension);
  }
  if (tensor.begin > tensor.end || tensor.end > data_bytes) {
    fail(tensor, "bytes " + thousands(tensor.begin) + " to " + thousands(tensor.end) +
                     " of the data; the file has " + thousands(data_bytes) + ".");
  }
  const std::uint64_t bytes = tensor.end - tensor.begin;
  if (needed != bytes) {
    fail(tensor, thousands(bytes) + " bytes; its shape " + shape_text(tensor.shape) + " " +
                     tensor.dtype + " needs " + (needed ? thousands(*needed) : "over 2^64") + ".");
  }
  if (tensor.begin % kAlignment != 0 || bytes % kAlignment != 0) {
    fail(tensor, "bytes " + thousands(tensor.begin) + " to " + thousands(tensor.end) +
                     " of the data; expected multiples of 64.");
  }
}

}  // namespace

SafetensorsHeader read_safetensors_header(const std::byte* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(size, kLengthBytes); ++i)
    length |= std::to_integer<std::uint64_t>(data[i]) << 8 * i;
  const bool fits = size >= kLengthBytes &&
                    length <= std::min<std::uint64_t>(kMaxHeaderBytes, size - kLengthBytes);
  if (!fits || !bytes.substr(kLengthBytes, static_cast<std::size_t>(length)).starts_with('{')) {
    refuse_foreign(bytes);
  }
  if (size < kLengthBytes) {
    fail("the file has " + std::to_string(size) + " bytes; expected at least 8.");
  }
  if (!fits) {
    fail("header length " + thousands(length) + "; the file has " + thousands(size) +
         " bytes, and a header at most " + thousands(kMaxHeaderBytes) +
         ". Is this a .safetensors file?");
  }
  const std::string_view text = bytes.substr(kLengthBytes, static_cast<std::size_t>(length));
  JsonReader json(text, "header");
  if (text.empty() || text[0] != '{') json.fail("expected an opening brace");
  SafetensorsHeader header;
  header.data_offset = static_cast<std::size_t>(kLengthBytes + length);
  bool has_metadata = false;
  json.begin_object();
  for (std::string key; json.next_key(&key);) {
    if (key == "__metadata__") {
      if (std::exchange(has_metadata, true)) json.fail("duplicate key");
      read_metadata(&json, &header.metadata);
      continue;
    }
    if (header.tensors.size() == kMaxTensors)
      json.fail("too many tensors; expected at most " + thousands(kMaxTensors));
    header.tensors.emplace_back().name = std::move(key);
    read_tensor(&json, &header.tensors.back());
  }
  json.end();
  refuse_duplicates(header.tensors);
  return header;
}

void check_layout(std::size_t size, SafetensorsHeader* header) {
  if (header->data_offset % kAlignment != 0) {
    fail("the data begins at byte " + thousands(header->data_offset) +
         "; expected a multiple of 64.");
  }
  const std::uint64_t data_bytes = size - header->data_offset;
  for (const TensorInfo& tensor : header->tensors) check_tensor(tensor, data_bytes);
  std::sort(header->tensors.begin(), header->tensors.end(),
            [](const TensorInfo& a, const TensorInfo& b) { return a.begin < b.begin; });
  std::uint64_t end = 0;
  for (const TensorInfo& tensor : header->tensors) {
    if (tensor.begin != end) {
      fail(tensor, std::string(tensor.begin < end ? "overlap" : "gap") + " before byte " +
                       thousands(tensor.begin) + " of the data; the previous tensor ends at " +
                       thousands(end) + ".");
    }
    end = tensor.end;
  }
  if (end != data_bytes) {
    fail("the last tensor ends at byte " + thousands(end) + " of the data; the file has " +
         thousands(data_bytes) + ".");
  }
}

}  // namespace mbrt
