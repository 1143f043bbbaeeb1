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
                                               std::size_t logit_rows) {
  if ((requested & MBRT_EMBEDDING) != 0) requested |= MBRT_LAST_HIDDEN_STATE;
  const OutputShapes& shapes = model.encoder().shapes();
  std::array<std::size_t, kOutputs> sizes{};
  const auto set = [&](Number number, std::initializer_list<std::size_t> factors) {
    if ((requested & 1u << number) != 0) sizes[number] = product(factors);
  };
  set(kLastHidden, {tokens, shapes.hidden.stride()});
  set(kHiddenStates, {shapes.num_layers + 1, tokens, shapes.hidden.stride()});
  set(kPooled, {items, shapes.pooled.stride()});
  set(kLogits, {logit_rows, shapes.logits.stride()});
  set(kNextSentence, {items, shapes.next_sentence.stride()});
  set(kEmbedding, {items, shapes.hidden.columns});
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
  const std::size_t first = layout.offsets[item];
  const std::size_t tokens = layout.offsets[item + 1] - first;
  const OutputShapes& shapes = model.encoder().shapes();
  const auto rows = [&](std::size_t from, std::size_t count, const OutputShape& shape) {
    const float* data = count == 0 ? nullptr : arrays_[output].data() + from * shape.stride();
    return Matrix{data, count, shape.columns, shape.stride()};
  };
  switch (output) {
    case kLastHidden:
      return rows(first, tokens, shapes.hidden);
    case kHiddenStates:
      return rows(layer * layout.offsets.back() + first, tokens, shapes.hidden);
    case kPooled:
      return rows(item, 1, shapes.pooled);
    case kLogits:
      return rows(layout.logit_rows[item], layout.logit_rows[item + 1] - layout.logit_rows[item],
                  shapes.logits);
    case kNextSentence:
      return rows(item, 1, shapes.next_sentence);
    default:  // an embedding, whose rows are not padded
      return Matrix{arrays_[output].data() + item * shapes.hidden.columns, 1, shapes.hidden.columns,
                    shapes.hidden.columns};
  }
}

}  // namespace mbrt::capi
