#include "model/weights.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "model/message.h"
#include "model/tensor_checks.h"

namespace mbrt {
namespace {

using Shape = std::vector<std::uint64_t>;

// A row of values in parts, each padded to a multiple of 16: three parts for the input of a trigram
// projection, otherwise one.
struct Row {
  std::size_t real;
  std::size_t parts = 1;
  std::size_t padded() const { return parts * pad16(real); }
};

[[noreturn]] void fail(const std::string& name, const std::string& what) {
  throw ModelFormatError("tensor " + quoted(name) + ": " + what + kConvertAgain);
}

// what: what the element is, and what was expected.
[[noreturn]] void fail_at(const std::string& name, std::size_t element, const char* what) {
  fail(name, "element " + thousands(element) + " is " + what);
}

constexpr char kMinus128[] = "-128; expected -127 to 127.";
constexpr char kPadding[] = "padding and not zero; expected 0.";
constexpr char kNotFinite[] = "infinite or NaN; expected a finite number.";
constexpr char kNotPositive[] = "a scale of 0 or less; expected a positive number.";

// The tensors of a file by name; each may be taken once.
class Tensors {
 public:
  Tensors(const std::vector<TensorInfo>& tensors, const std::byte* data) : data_(data) {
    for (const TensorInfo& tensor : tensors) left_.emplace(tensor.name, &tensor);
  }

  const float* take_f32(const std::string& name, const Shape& shape) {
    return reinterpret_cast<const float*>(take(name, "F32", shape));
  }
  const std::int8_t* take_s8(const std::string& name, const Shape& shape) {
    return reinterpret_cast<const std::int8_t*>(take(name, "I8", shape));
  }

  void refuse_the_rest() const {
    if (!left_.empty()) fail(left_.begin()->second->name, "not part of the configured model.");
  }

 private:
  const std::byte* take(const std::string& name, const char* dtype, const Shape& shape) {
    const auto entry = left_.find(name);
    if (entry == left_.end()) fail(name, "missing; the configuration needs it.");
    const TensorInfo& tensor = *entry->second;
    if (tensor.dtype != dtype) {
      fail(name, "type " + quoted(tensor.dtype) + "; the configuration needs " + dtype + ".");
    }
    if (tensor.shape != shape) {
      fail(name, "shape " + shape_text(tensor.shape) + "; the configuration needs " +
                     shape_text(shape) + ".");
    }
    left_.erase(entry);
    return data_ + tensor.begin;
  }

  const std::byte* data_;
  std::map<std::string_view, const TensorInfo*> left_;
};

// Padding of packed weights [n / 16][k / kGroup][n % 16][k % kGroup] must be +0 or -0.
template <std::size_t kGroup, typename T>
void check_packed_padding(const std::string& name, const T* w, std::size_t n, const Row& row) {
  if (n == pad16(n) && row.real == pad16(row.real)) return;
  const std::size_t k_padded = row.padded();
  const auto check = [&](std::size_t column, std::size_t k) {
    const std::size_t at =
        ((column / 16 * (k_padded / kGroup) + k / kGroup) * 16 + column % 16) * kGroup + k % kGroup;
    if (w[at] != 0) fail_at(name, at, kPadding);
  };
  for (std::size_t part = 0; part < k_padded; part += pad16(row.real)) {
    for (std::size_t k = 0; k < pad16(row.real); ++k) {
      for (std::size_t column = k < row.real ? n : 0; column < pad16(n); ++column)
        check(column, part + k);
    }
  }
}

template <typename T>
void check_row_padding(const std::string& name, const T* x, std::size_t rows, std::size_t columns) {
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = columns; i < pad16(columns); ++i) {
      if (x[row * pad16(columns) + i] != 0) {
        fail_at(name, row * pad16(columns) + i, kPadding);
      }
    }
  }
}

void check_finite(const std::string& name, const float* x, std::size_t count) {
  const std::size_t bad = first_not_finite(x, count);
  if (bad != count) fail_at(name, bad, kNotFinite);
}

class Loader {
 public:
  Loader(const ModelConfig& config, const std::vector<TensorInfo>& tensors, const std::byte* data)
      : c_(config), tensors_(tensors, data) {}

  LoadedWeights load(const std::vector<ModuleConfig>& modules);

 private:
  const float* floats(const std::string& name, Shape shape);
  const float* scales(const std::string& name, const Shape& shape);

  LinearWeights linear(const std::string& name, Row in, std::size_t n, Precision precision);
  LinearWeights linear(const std::string& name, std::size_t k, std::size_t n) {
    return linear(name, Row{k}, n, c_.precision);
  }
  LinearWeights linear_norm(const std::string& name, std::size_t k, std::size_t n);
  LinearWeights linear_residual_norm(const std::string& name, std::size_t k, std::size_t n,
                                     float eps);
  void load_weight_s8(const std::string& name, const Row& in, LinearWeights* linear);
  void derive_sums(LinearWeights* linear);
  NormWeights norm(const std::string& name, std::size_t n, float eps);

  EmbeddingWeights embeddings();
  BlockWeights block(const std::string& name);
  FfnWeights ffn(const std::string& name, bool last);
  HeadWeights heads();
  ModuleWeights module(const std::string& name, const ModuleConfig& config);

  const ModelConfig& c_;
  Tensors tensors_;
  std::vector<AlignedArray<std::int32_t>> compensations_;
  std::vector<AlignedArray<float>> sums_;
};

// Of a vector or a matrix; the configuration's limits keep both below 2^31.
struct Extent {
  explicit Extent(const Shape& shape)
      : rows(shape.size() == 1 ? 1 : static_cast<std::size_t>(shape.front())),
        columns(static_cast<std::size_t>(shape.back())) {}
  std::size_t rows, columns;
};

// F32 of a shape whose last number is padded to a multiple of 16 in the file.
const float* Loader::floats(const std::string& name, Shape shape) {
  const auto [rows, columns] = Extent(shape);
  shape.back() = pad16(columns);
  const float* const x = tensors_.take_f32(name, shape);
  check_finite(name, x, rows * pad16(columns));
  check_row_padding(name, x, rows, columns);
  return x;
}

// The same, greater than zero where it is not padding.
const float* Loader::scales(const std::string& name, const Shape& shape) {
  const float* const x = floats(name, shape);
  const auto [rows, columns] = Extent(shape);
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = row * pad16(columns); i < row * pad16(columns) + columns; ++i) {
      if (!(x[i] > 0)) fail_at(name, i, kNotPositive);
    }
  }
  return x;
}

LinearWeights Loader::linear(const std::string& name, Row in, std::size_t n, Precision precision) {
  LinearWeights linear;
  linear.n = n;
  linear.n_padded = pad16(n);
  linear.k_padded = in.padded();
  linear.k = in.parts == 1 ? in.real : in.padded();
  linear.precision = precision;
  const std::string weight = name + ".weight";
  if (precision == Precision::kInt8) {
    load_weight_s8(weight, in, &linear);
    linear.scale = scales(name + ".scale", {n});
    derive_sums(&linear);
  } else {
    linear.w_f32 = tensors_.take_f32(weight, {linear.n_padded / 16, linear.k_padded, 16});
    check_finite(weight, linear.w_f32, linear.n_padded * linear.k_padded);
    check_packed_padding<1>(weight, linear.w_f32, n, in);
  }
  linear.bias = floats(name + ".bias", {n});
  return linear;
}

void Loader::load_weight_s8(const std::string& name, const Row& in, LinearWeights* linear) {
  const std::size_t count = linear->n_padded * linear->k_padded;
  linear->w_s8 = tensors_.take_s8(name, {linear->n_padded / 16, linear->k_padded / 4, 16, 4});
  AlignedArray<std::int32_t>& sums = compensations_.emplace_back(linear->n_padded);
  if (!column_sums(linear->w_s8, linear->n_padded, linear->k_padded, sums.data())) {
    fail_at(name, first_minus_128(linear->w_s8, count), kMinus128);
  }
  check_packed_padding<4>(name, linear->w_s8, linear->n, in);
}

// Computes sum and compensation from the column sums, which load_weight_s8 left in compensations_.
void Loader::derive_sums(LinearWeights* linear) {
  AlignedArray<std::int32_t>& compensation = compensations_.back();
  AlignedArray<float>& sums = sums_.emplace_back(linear->n_padded);
  for (std::size_t n = 0; n < linear->n_padded; ++n) {
    sums[n] = linear->scale[n] * static_cast<float>(compensation[n]);
    compensation[n] *= -128;  // |sum| <= 127 * 16,384
  }
  linear->sum = sums.data();
  linear->compensation = compensation.data();
}

NormWeights Loader::norm(const std::string& name, std::size_t n, float eps) {
  return {floats(name + ".norm.weight", {n}), floats(name + ".norm.bias", {n}), eps};
}

LinearWeights Loader::linear_norm(const std::string& name, std::size_t k, std::size_t n) {
  LinearWeights result = linear(name, k, n);
  if (c_.norm == Norm::kLayerNorm) result.norm = norm(name, n, c_.eps);
  return result;
}

LinearWeights Loader::linear_residual_norm(const std::string& name, std::size_t k, std::size_t n,
                                           float eps) {
  LinearWeights result = linear(name, k, n);
  result.residual_scale = floats(name + ".residual_scale", {n});
  if (c_.norm == Norm::kLayerNorm) result.norm = norm(name, n, eps);
  return result;
}

EmbeddingWeights Loader::embeddings() {
  EmbeddingWeights e;
  const std::string word = "embeddings.word.weight";
  if (c_.precision == Precision::kInt8) {
    const std::size_t rows = (c_.vocab_size + 3) / 4 * 4;
    const std::size_t count = rows * pad16(c_.embedding_size);
    e.word_s8 = tensors_.take_s8(word, {rows, pad16(c_.embedding_size)});
    const std::size_t bad = first_minus_128(e.word_s8, count);
    if (bad != count) fail_at(word, bad, kMinus128);
    check_row_padding(word, e.word_s8, c_.vocab_size, c_.embedding_size);
    for (std::size_t i = c_.vocab_size * pad16(c_.embedding_size); i < count; ++i) {
      if (e.word_s8[i] != 0) fail_at(word, i, kPadding);
    }
    e.word_scale = scales("embeddings.word.scale", {c_.vocab_size});
  } else {
    e.word_f32 = floats(word, {c_.vocab_size, c_.embedding_size});
  }
  if (c_.has_projection()) {
    const Row in{c_.embedding_size, c_.trigram ? 3u : 1u};
    e.projection = linear("embeddings.projection", in, c_.hidden_size, c_.precision);
  }
  e.position = floats("embeddings.position.weight", {c_.max_positions, c_.hidden_size});
  if (c_.type_vocab_size > 0) {
    e.type = floats("embeddings.type.weight", {c_.type_vocab_size, c_.hidden_size});
  }
  if (c_.norm == Norm::kLayerNorm && c_.embedding_norm) {
    e.norm = norm("embeddings", c_.hidden_size, c_.eps_embeddings);
  }
  return e;
}

FfnWeights Loader::ffn(const std::string& name, bool last) {
  FfnWeights f;
  f.intermediate = linear(name + "intermediate", c_.body_size, c_.intermediate_size);
  if (c_.precision == Precision::kInt8 && c_.activation != Activation::kRelu) {
    f.activation_scale = scales(name + "activation_scale", {c_.intermediate_size});
  }
  f.output = linear_residual_norm(name + "output", c_.intermediate_size, c_.body_size,
                                  last ? c_.eps_output : c_.eps);
  return f;
}

BlockWeights Loader::block(const std::string& name) {
  const std::size_t hidden = c_.hidden_size;
  const std::size_t body = c_.body_size;
  const bool full = c_.bottleneck == Bottleneck::kFull;
  const bool shared = c_.bottleneck == Bottleneck::kShared;
  BlockWeights b;
  if (c_.has_bottleneck())
    b.bottleneck_input = linear_norm(name + "bottleneck.input", hidden, body);
  if (shared) b.bottleneck_attention = linear_norm(name + "bottleneck.attention", hidden, body);
  b.query = linear(name + "attention.query", full || shared ? body : hidden, body);
  b.key = linear(name + "attention.key", full || shared ? body : hidden, body);
  b.value = linear(name + "attention.value", full ? body : hidden, body);
  b.attention_output = linear_residual_norm(name + "attention.output", body, body, c_.eps);
  for (std::size_t j = 0; j < c_.num_ffn; ++j) {
    b.ffns.push_back(ffn(name + "ffn." + std::to_string(j) + ".", j + 1 == c_.num_ffn));
  }
  if (c_.has_bottleneck()) {
    b.output_bottleneck = linear_residual_norm(name + "output_bottleneck", body, hidden, c_.eps);
  }
  return b;
}

HeadWeights Loader::heads() {
  const std::size_t hidden = c_.hidden_size;
  HeadWeights h;
  if (c_.pooler == Pooler::kTanh || c_.pooler == Pooler::kRelu)
    h.pooler = linear("pooler", hidden, hidden);
  if (c_.has_mlm()) {
    h.mlm_transform = linear("mlm.transform", hidden, hidden);
    h.mlm_transform->norm = norm("mlm.transform", hidden, c_.eps_mlm);
    h.mlm_decoder = linear("mlm.decoder", hidden, c_.vocab_size);
  }
  if (c_.num_labels > 0)
    h.classifier = linear("classifier", Row{hidden}, c_.num_labels, Precision::kFp32);
  if (c_.head == Head::kPretraining) {
    h.next_sentence = linear("next_sentence", Row{hidden}, 2, Precision::kFp32);
  }
  return h;
}

ModuleWeights Loader::module(const std::string& name, const ModuleConfig& config) {
  ModuleWeights m;
  m.config = config;
  if (config.kind == ModuleKind::kDense) {
    m.dense = linear(name, config.inputs, config.outputs);
    if (config.residual && config.inputs != config.outputs) {
      m.residual = linear(name + ".residual", config.inputs, config.outputs);
    }
  } else if (config.kind == ModuleKind::kLayerNorm) {
    constexpr float kEps = 1e-5f;  // torch's default, which the folders do not change
    m.norm = norm(name, config.outputs, kEps);
  }
  return m;
}

LoadedWeights Loader::load(const std::vector<ModuleConfig>& modules) {
  LoadedWeights loaded;
  loaded.weights.config = c_;
  loaded.weights.embeddings = embeddings();
  for (std::size_t i = 0; i < c_.num_layers; ++i) {
    loaded.weights.blocks.push_back(block("encoder.layer." + std::to_string(i) + "."));
  }
  if (c_.precision == Precision::kInt8) {
    loaded.weights.hidden_scale = scales("encoder.hidden_scale", {c_.num_layers, c_.hidden_size});
  }
  loaded.weights.heads = heads();
  for (std::size_t i = 0; i < modules.size(); ++i) {
    loaded.weights.modules.push_back(module("modules." + std::to_string(i), modules[i]));
  }
  tensors_.refuse_the_rest();
  loaded.compensations = std::move(compensations_);
  loaded.sums = std::move(sums_);
  return loaded;
}

}  // namespace

LoadedWeights load_weights(const ModelConfig& config, const std::vector<ModuleConfig>& modules,
                           const std::vector<TensorInfo>& tensors, const std::byte* data) {
  return Loader(config, tensors, data).load(modules);
}

}  // namespace mbrt
