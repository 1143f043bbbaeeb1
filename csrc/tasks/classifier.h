// Texts, or pairs of texts, to labels.
#ifndef MBRT_TASKS_CLASSIFIER_H_
#define MBRT_TASKS_CLASSIFIER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tasks/task.h"

namespace mbrt {

enum class ScoreKind { kSoftmax, kSigmoid, kNone };  // how logits become scores

// score_kind: by default that of a cross-encoder's file; else from the model's problem type: softmax
// for single-label, sigmoid for multi-label, none for regression. A model that says neither has sigmoid
// for one label, softmax for several, as in transformers.
struct ClassifierOptions : TaskOptions {
  std::optional<ScoreKind> score_kind;
};

struct Classification {
  std::size_t index;  // of the label, and of its logit
  std::string label;
  float score;  // a probability, or the raw output of a regression
};

// The logits of a sequence classification model, [texts][labels]. With OnOverflow::kStride those of a
// long text are the mean over its windows.
std::vector<double> sequence_logits(const Task& task, const std::vector<Text>& texts,
                                    const RunOptions& run);

class Classifier : public Task {
 public:
  // name: of the task, in messages.
  explicit Classifier(const std::shared_ptr<const TextModel>& model,
                      const ClassifierOptions& options = {},
                      std::string_view name = "A classifier");

  ScoreKind score_kind() const { return score_kind_; }
  const std::vector<std::string>& labels() const { return model().labels(); }

  // For each text its labels, best first; at most top_k of them (0: all).
  std::vector<std::vector<Classification>> classify(const std::vector<Text>& texts,
                                                    std::size_t top_k = 0,
                                                    const RunOptions& run = {}) const;

  // [texts][labels], columns in the order of labels().
  std::vector<float> scores(const std::vector<Text>& texts, const RunOptions& run = {}) const;

 private:
  ScoreKind score_kind_;
};

}  // namespace mbrt

#endif  // MBRT_TASKS_CLASSIFIER_H_
