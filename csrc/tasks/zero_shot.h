// Labels that the caller chooses, by a model for natural language inference (NLI): each label becomes a
// hypothesis, and its score is how much the text entails it.
#ifndef MBRT_TASKS_ZERO_SHOT_H_
#define MBRT_TASKS_ZERO_SHOT_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tasks/classifier.h"

namespace mbrt {

struct ZeroShotOptions {
  std::vector<std::string> labels;  // at least one
  // {} or {0} stands for the label; {{ and }} for braces.
  std::string hypothesis_template = "This example is {}.";
  // Scores of their own, softmax over entailment and contradiction; else softmax over the labels'
  // entailment. One label always has a score of its own.
  bool multi_label = false;
};

// "sport, politics" -> {"sport", "politics"}; empty parts are left out.
std::vector<std::string> split_labels(std::string_view text);

// Long texts are truncated by default; the hypothesis always stays whole.
class ZeroShotClassifier : public Task {
 public:
  // UnsupportedModelError when no label of the model begins with "entail", in any case.
  explicit ZeroShotClassifier(const std::shared_ptr<const TextModel>& model,
                              const TaskOptions& options = {});

  // For each text the labels, best first. InputError for a pair, no labels, a template without {}.
  std::vector<std::vector<Classification>> classify(const std::vector<Text>& texts,
                                                    const ZeroShotOptions& wanted,
                                                    const RunOptions& run = {}) const;

 private:
  // [labels], from the model's logits of each.
  std::vector<float> scores(const double* logits, const ZeroShotOptions& wanted) const;

  std::size_t entailment_, contradiction_;  // indices of the model's labels
};

}  // namespace mbrt

#endif  // MBRT_TASKS_ZERO_SHOT_H_
