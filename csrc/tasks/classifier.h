// Texts, or pairs of texts, to labels.
#ifndef MBRT_TASKS_CLASSIFIER_H_
#define MBRT_TASKS_CLASSIFIER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
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

class Classifier : public Task {
 public:
  explicit Classifier(const std::shared_ptr<const TextModel>& model,
                      const ClassifierOptions& options = {});

  ScoreKind score_kind() const { return score_kind_; }
  const std::vector<std::string>& labels() const { return model().labels(); }

  // For each text its labels, best first; at most top_k of them (0: all). With OnOverflow::kStride
  // the logits of a long text are the mean over its windows.
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
