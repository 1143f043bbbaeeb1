#include "engine/validate.h"

#include <algorithm>
#include <string>

#include "base/error.h"

namespace mbrt {
namespace {

std::string sequence_text(std::size_t b) { return "sequence " + std::to_string(b); }

void validate_lengths(const Batch& batch, std::size_t max_positions) {
  if (batch.sequences == 0) throw InputError("batch: 0 sequences; expected at least 1.");
  for (std::size_t b = 0; b < batch.sequences; ++b) {
    const std::size_t length = batch.length(b);
    if (length >= 1 && length <= max_positions) continue;
    throw InputError(sequence_text(b) + ": " + std::to_string(length) +
                     " tokens; this model takes 1 to " + std::to_string(max_positions) +
                     ". Shorten or split it.");
  }
}

void validate_range(const Batch& batch, const std::int32_t* values, std::size_t limit,
                    const char* what) {
  for (std::size_t b = 0; values != nullptr && b < batch.sequences; ++b) {
    for (std::size_t t = batch.offsets[b]; t < batch.offsets[b + 1]; ++t) {
      if (values[t] >= 0 && static_cast<std::size_t>(values[t]) < limit) continue;
      throw InputError(sequence_text(b) + ", token " + std::to_string(t - batch.offsets[b]) + ": " +
                       what + " " + std::to_string(values[t]) + "; this model has 0 to " +
                       std::to_string(limit - 1) + ".");
    }
  }
}

// A query without keys has no defined result. causal: query i is allowed the first i + 1 keys only.
void validate_masks(const Batch& batch, bool causal) {
  const std::uint8_t* pairs = batch.pair_mask;
  for (std::size_t b = 0; b < batch.sequences; ++b) {
    const std::size_t length = batch.length(b);
    const auto any = [](const std::uint8_t* mask, std::size_t keys) {
      return std::any_of(mask, mask + keys, [](std::uint8_t m) { return m != 0; });
    };
    const auto fail = [](const std::string& where) {
      throw InputError(where + ": the attention mask hides every token; leave at least one.");
    };
    if (batch.key_mask != nullptr) {
      const std::uint8_t* keys = batch.key_mask + batch.offsets[b];
      if (!any(keys, length)) fail(sequence_text(b));
      if (causal && !any(keys, 1)) {
        throw InputError(
            sequence_text(b) +
            ": the attention mask hides the first token, the only one that it may attend to "
            "in a causal model. Pad on the right.");
      }
    }
    for (std::size_t query = 0; pairs != nullptr && query < length; ++query, pairs += length) {
      if (!any(pairs, causal ? query + 1 : length))
        fail(sequence_text(b) + ", query " + std::to_string(query));
    }
  }
}

}  // namespace

void validate(const Batch& batch, const ModelConfig& config) {
  validate_lengths(batch, config.max_positions);
  validate_range(batch, batch.ids, config.vocab_size, "token id");
  validate_range(batch, batch.types, std::max<std::size_t>(config.type_vocab_size, 1),
                 "token type");
  validate_masks(batch, config.causal);
}

}  // namespace mbrt
