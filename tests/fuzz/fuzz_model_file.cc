// libFuzzer target of the model reader: for any bytes, opening either fails with an error or gives
// weights whose elements can all be read.
//
//   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -Icsrc
//   tests/fuzz/fuzz_model_file.cc csrc/model/*.cc \
//       csrc/base/mapped_file.cc -o fuzz_model_file
//   ./fuzz_model_file corpus/        with small files of tests/model/make_model_file.py in corpus/
//
// Most mutations of a valid file break its JSON, and then little of the reader runs. So the mutator
// changes one part: the header, the configuration inside it, or the data; and fixes the header's
// length and padding.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

#include "base/error.h"
#include "model/model_file.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using mbrt::LinearWeights;
using mbrt::pad16;

volatile std::uint64_t g_sink;  // keeps the reads

template <typename T>
void touch(const T* values, std::size_t count) {
  if (values == nullptr) return;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint8_t bytes[sizeof(T)];
    std::memcpy(bytes, values + i, sizeof(T));
    sum += bytes[0];
  }
  g_sink = sum;
}

void touch(const LinearWeights& linear) {
  touch(linear.w_s8, linear.n_padded * linear.k_padded);
  touch(linear.w_f32, linear.n_padded * linear.k_padded);
  for (const float* row :
       {linear.scale, linear.bias, linear.residual_scale, linear.norm.weight, linear.norm.bias}) {
    touch(row, linear.n_padded);
  }
  touch(linear.compensation, linear.n_padded);
}

void touch(const std::optional<LinearWeights>& linear) {
  if (linear) touch(*linear);
}

void touch(const mbrt::ModelWeights& weights) {
  const mbrt::ModelConfig& c = weights.config;
  const mbrt::EmbeddingWeights& e = weights.embeddings;
  const std::size_t hidden = pad16(c.hidden_size);
  touch(e.word_f32, c.vocab_size * pad16(c.embedding_size));
  touch(e.word_s8, c.vocab_size * pad16(c.embedding_size));
  touch(e.word_scale, pad16(c.vocab_size));
  touch(e.position, c.max_positions * hidden);
  touch(e.type, c.type_vocab_size * hidden);
  touch(e.projection);
  touch(e.norm.weight, hidden);
  touch(e.norm.bias, hidden);
  for (const mbrt::BlockWeights& b : weights.blocks) {
    for (const auto* linear : {&b.bottleneck_input, &b.bottleneck_attention, &b.output_bottleneck})
      touch(*linear);
    for (const auto* linear : {&b.query, &b.key, &b.value, &b.attention_output}) touch(*linear);
    for (const mbrt::FfnWeights& f : b.ffns) {
      touch(f.intermediate);
      touch(f.output);
      touch(f.activation_scale, pad16(c.intermediate_size));
    }
  }
  touch(weights.hidden_scale, c.num_layers * hidden);
  const mbrt::HeadWeights& h = weights.heads;
  for (const auto* linear :
       {&h.pooler, &h.mlm_transform, &h.mlm_decoder, &h.classifier, &h.next_sentence}) {
    touch(*linear);
  }
  for (const mbrt::ModuleWeights& m : weights.modules) {
    if (m.dense.bias != nullptr) touch(m.dense);
    touch(m.residual);
    touch(m.norm.weight, pad16(m.config.outputs));
    touch(m.norm.bias, pad16(m.config.outputs));
  }
}

// The header's text and the data after it, as far as they are in the file.
std::pair<std::string, std::string> split(const std::string& file) {
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < 8 && i < file.size(); ++i)
    length |= std::uint64_t{std::uint8_t(file[i])} << 8 * i;
  const std::size_t begin = std::min<std::size_t>(8, file.size());
  length = std::min<std::uint64_t>(length, file.size() - begin);
  return {file.substr(begin, static_cast<std::size_t>(length)),
          file.substr(begin + static_cast<std::size_t>(length))};
}

void mutate(std::string* text, std::size_t most) {
  const std::size_t size = std::min(text->size(), most);
  text->resize(most);
  text->resize(LLVMFuzzerMutate(reinterpret_cast<std::uint8_t*>(text->data()), size, most));
}

}  // namespace

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,
                                               std::size_t max_size, unsigned seed) {
  constexpr std::size_t kRoom = 256;
  if (seed % 8 == 0 || size + kRoom > max_size) return LLVMFuzzerMutate(data, size, max_size);
  auto [header, body] = split(std::string(reinterpret_cast<char*>(data), size));
  header.erase(header.find_last_not_of(' ') + 1);
  if (seed % 8 == 1) {
    mutate(&body, body.size() + 1);
  } else if (header.size() > 32) {
    // A window of the header, so that most of it stays valid.
    const std::size_t begin = seed / 8 % (header.size() - 32);
    std::string window = header.substr(begin, 32);
    mutate(&window, 40);
    header.replace(begin, 32, window);
  }
  header.append((64 - (8 + header.size()) % 64) % 64, ' ');
  const std::size_t total = 8 + header.size() + body.size();
  if (total > max_size) return LLVMFuzzerMutate(data, size, max_size);
  for (std::size_t i = 0; i < 8; ++i)
    data[i] = static_cast<std::uint8_t>(std::uint64_t{header.size()} >> 8 * i);
  std::memcpy(data + 8, header.data(), header.size());
  std::memcpy(data + 8 + header.size(), body.data(), body.size());
  return total;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    touch(mbrt::ModelFile::from_memory(data, size, nullptr)->weights());
  } catch (const mbrt::Error&) {
  }
  return 0;
}
