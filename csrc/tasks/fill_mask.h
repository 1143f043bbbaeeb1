// The words that a masked language model predicts for the masks ([MASK]) of a text.
#ifndef MBRT_TASKS_FILL_MASK_H_
#define MBRT_TASKS_FILL_MASK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tasks/task.h"

namespace mbrt {

// One proposal for a mask. sequence: the text with this mask replaced, all else as it was given.
struct Fill {
  std::string token;
  std::int32_t token_id;
  float score;
  std::string sequence;
};

class FillMask : public Task {
 public:
  static constexpr std::size_t kDefaultTopK = 5;

  // ModelFormatError when the tokenizer has no mask token.
  explicit FillMask(const std::shared_ptr<const TextModel>& model, const TaskOptions& options = {});

  // For each text, for each of its masks in order, the top_k proposals, best first. Masks are
  // filled one by one: the others stay masked. With OnOverflow::kStride each mask of a long text is
  // filled in the window that shows most of its context. targets: ids of the only tokens to propose;
  // scores are those among all tokens. InputError for a pair, for a text without a mask, and for a
  // top_k of 0.
  std::vector<std::vector<std::vector<Fill>>> fill(
      const std::vector<Text>& texts, std::size_t top_k = kDefaultTopK, const RunOptions& run = {},
      const std::optional<std::vector<std::int32_t>>& targets = std::nullopt) const;

  // The ids of words, ascending, each once. InputError for no words, and for a word that is not one
  // token of the vocabulary, spelled as there.
  std::vector<std::int32_t> target_ids(const std::vector<std::string>& words) const;
};

}  // namespace mbrt

#endif  // MBRT_TASKS_FILL_MASK_H_
