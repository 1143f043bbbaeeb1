// The memory of a run's outputs, and the matrix of each item in it.
#ifndef MBRT_CAPI_OUTPUTS_H_
#define MBRT_CAPI_OUTPUTS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/aligned.h"
#include "capi/model.h"
#include "include/mobilebert_rt.h"

namespace mbrt::capi {

// Rows [r] of `columns` floats, `stride` apart.
struct Matrix {
  const float* data;
  std::size_t rows, columns, stride;
};

// The outputs of the header, in the order of their bits.
inline constexpr std::size_t kOutputs = 6;
inline constexpr std::uint32_t kAllOutputs = (1u << kOutputs) - 1;

// The bit number of an output; InputError when it is not one output.
std::size_t output_number(std::uint32_t output);

// InputError for 0 and for unknown outputs, UnsupportedModelError for outputs that the model lacks.
void check_outputs(const Model& model, std::uint32_t outputs);

// The positions of items in the packed tokens and in the rows of logits.
struct Layout {
  std::vector<std::size_t> offsets;     // [items + 1], in tokens
  std::vector<std::size_t> logit_rows;  // [items + 1]
  std::size_t embedding_columns = 0;
  std::size_t items() const { return offsets.empty() ? 0 : offsets.size() - 1; }
};

// Floats of each requested output (an embedding also needs the last hidden state); 0 for the others.
// std::bad_alloc when the numbers overflow.
std::array<std::size_t, kOutputs> output_sizes(const Model& model, std::uint32_t requested,
                                               std::size_t tokens, std::size_t items,
                                               std::size_t logit_rows,
                                               std::size_t embedding_columns);

std::size_t total_bytes(const std::array<std::size_t, kOutputs>& sizes);

// The memory of the outputs; it never shrinks.
class OutputBuffers {
 public:
  // Allocates what is missing; returns the address of each requested output.
  std::array<float*, kOutputs> prepare(const std::array<std::size_t, kOutputs>& sizes);

  // layer: of the hidden states.
  Matrix matrix(const Model& model, const Layout& layout, std::size_t output, std::size_t layer,
                std::size_t item) const;

 private:
  std::array<AlignedArray<float>, kOutputs> arrays_;
};

}  // namespace mbrt::capi

#endif  // MBRT_CAPI_OUTPUTS_H_
