#include "capi/outputs.h"

#include <new>
#include <string>

#include "base/error.h"

namespace mbrt::capi {
namespace {

enum Number { kLastHidden, kHiddenStates, kPooled, kLogits, kNextSentence, kEmbedding };

std::size_t product(std::initializer_list<std::size_t> factors) {
  std::size_t result = sizeof(float);
  for (const std::size_t factor : factors) {
    if (__builtin_mul_overflow(result, factor, &result)) throw std::bad_alloc();
  }
  return result / sizeof(float);
}

struct Rows {
  OutputShape shape;
  std::size_t stride;
};

Rows rows_of(const Model& model, std::size_t output, std::size_t embedding_columns) {
  const OutputShapes& shapes = model.encoder().shapes();
  const OutputShape embedding{.columns = embedding_columns};  // whose rows are not padded
  const OutputShape all[kOutputs] = {shapes.hidden, shapes.hidden,        shapes.pooled,
                                     shapes.logits, shapes.next_sentence, embedding};
  return {all[output], output == kEmbedding ? embedding.columns : all[output].stride()};
}

}  // namespace

std::size_t output_number(std::uint32_t output) {
  for (std::size_t i = 0; i < kOutputs; ++i) {
    if (output == 1u << i) return i;
  }
  throw InputError("output: " + std::to_string(output) +
                   "; expected one of MBRT_LAST_HIDDEN_STATE to MBRT_EMBEDDING.");
}

void check_outputs(const Model& model, std::uint32_t outputs) {
  if (outputs == 0 || (outputs & ~kAllOutputs) != 0) {
    throw InputError("outputs: " + std::to_string(outputs) +
                     "; expected one or more of MBRT_LAST_HIDDEN_STATE to MBRT_EMBEDDING, ORed.");
  }
  const std::uint32_t absent = outputs & ~model.outputs();
  if (absent == 0) return;
  const char* const name = (absent & MBRT_POOLED) != 0   ? "MBRT_POOLED"
                           : (absent & MBRT_LOGITS) != 0 ? "MBRT_LOGITS"
                                                         : "MBRT_NEXT_SENTENCE";
  throw UnsupportedModelError(std::string("outputs: the model has no ") + name +
                              ". See outputs of mbrt_model_get_info.");
}

std::array<std::size_t, kOutputs> output_sizes(const Model& model, std::uint32_t requested,
                                               std::size_t tokens, std::size_t items,
                                               std::size_t logit_rows,
                                               std::size_t embedding_columns) {
  if ((requested & MBRT_EMBEDDING) != 0) requested |= MBRT_LAST_HIDDEN_STATE;
  std::array<std::size_t, kOutputs> sizes{};
  for (std::size_t output = 0; output < kOutputs; ++output) {
    if ((requested & 1u << output) == 0) continue;
    const Rows of = rows_of(model, output, embedding_columns);
    const std::size_t rows = output == kLogits ? logit_rows : of.shape.rows(tokens, items);
    const std::size_t matrices = output == kHiddenStates ? model.config().num_layers + 1 : 1;
    sizes[output] = product({matrices, rows, of.stride});
  }
  return sizes;
}

std::size_t total_bytes(const std::array<std::size_t, kOutputs>& sizes) {
  std::size_t total = 0;
  for (const std::size_t size : sizes) {
    if (__builtin_add_overflow(total, size * sizeof(float), &total)) throw std::bad_alloc();
  }
  return total;
}

std::array<float*, kOutputs> OutputBuffers::prepare(
    const std::array<std::size_t, kOutputs>& sizes) {
  std::array<float*, kOutputs> pointers{};
  for (std::size_t i = 0; i < kOutputs; ++i) {
    if (sizes[i] > arrays_[i].size()) {
      arrays_[i] = {};  // free it before allocating the larger one
      arrays_[i] = AlignedArray<float>(sizes[i]);
    }
    if (sizes[i] > 0) pointers[i] = arrays_[i].data();
  }
  return pointers;
}

Matrix OutputBuffers::matrix(const Model& model, const Layout& layout, std::size_t output,
                             std::size_t layer, std::size_t item) const {
  const Rows of = rows_of(model, output, layout.embedding_columns);
  std::size_t first = item, count = 1;
  if (output == kLogits || of.shape.per_token) {
    const std::vector<std::size_t>& ends = output == kLogits ? layout.logit_rows : layout.offsets;
    first = ends[item] + layer * ends.back();
    count = ends[item + 1] - ends[item];
  }
  const float* data = count == 0 ? nullptr : arrays_[output].data() + first * of.stride;
  return {data, count, of.shape.columns, of.stride};
}

}  // namespace mbrt::capi
