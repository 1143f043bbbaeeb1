// How large the results of a run are, and where the matrix of an item lies in them.
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

// The number of an output's bit; InputError when it is not one output.
std::size_t output_number(std::uint32_t output);

// InputError for none and for unknown ones, UnsupportedModelError for one that the model lacks.
void check_outputs(const Model& model, std::uint32_t outputs);

// Where the sequences of a run lie: in the packed tokens, and in the rows of its logits.
struct Layout {
  std::vector<std::size_t> offsets;     // [items + 1], in tokens
  std::vector<std::size_t> logit_rows;  // [items + 1]
  std::size_t items() const { return offsets.empty() ? 0 : offsets.size() - 1; }
};

// Floats of each output that is wanted (an embedding needs the last hidden state too); 0 for the
// others. Throws std::bad_alloc when the numbers overflow.
std::array<std::size_t, kOutputs> output_sizes(const Model& model, std::uint32_t wanted,
                                               std::size_t tokens, std::size_t items,
                                               std::size_t logit_rows);

std::size_t total_bytes(const std::array<std::size_t, kOutputs>& sizes);

// The memory of the outputs; it only grows.
class OutputBuffers {
 public:
  // Makes room for what is wanted and returns where it is.
  std::array<float*, kOutputs> prepare(const std::array<std::size_t, kOutputs>& sizes);

  // layer: of the hidden states.
  Matrix matrix(const Model& model, const Layout& layout, std::size_t output, std::size_t layer,
                std::size_t item) const;

 private:
  std::array<AlignedArray<float>, kOutputs> arrays_;
};

}  // namespace mbrt::capi

#endif  // MBRT_CAPI_OUTPUTS_H_
