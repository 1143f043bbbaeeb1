// Named entities in texts.
#ifndef MBRT_TASKS_TOKEN_CLASSIFIER_H_
#define MBRT_TASKS_TOKEN_CLASSIFIER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tasks/aggregation.h"
#include "tasks/task.h"

namespace mbrt {

struct TokenClassifierOptions : TaskOptions {
  Aggregation aggregation = Aggregation::kSimple;
  std::vector<std::string> ignore_labels = {"O"};  // what is not an entity
};

class TokenClassifier : public Task {
 public:
  explicit TokenClassifier(const std::shared_ptr<const TextModel>& model,
                           const TokenClassifierOptions& options = {});

  Aggregation aggregation() const { return aggregation_; }
  const std::vector<std::string>& ignored_labels() const { return ignored_; }

  // The entities of each text in order. With OnOverflow::kStride each token of a long text is labelled
  // in the window that shows most of its context. InputError for a pair.
  // aggregation: of this call, instead of the task's own.
  std::vector<std::vector<Entity>> tag(const std::vector<Text>& texts, const RunOptions& run = {},
                                       std::optional<Aggregation> aggregation = std::nullopt) const;

 private:
  Aggregation aggregation_;
  std::vector<std::string> ignored_;
};

}  // namespace mbrt

#endif  // MBRT_TASKS_TOKEN_CLASSIFIER_H_
