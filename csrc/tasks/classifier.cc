#include "tasks/classifier.h"

#include <algorithm>

#include "tasks/batching.h"
#include "tasks/numeric.h"

namespace mbrt {
namespace {

ScoreKind score_kind_of(const TextModel& model) {
  const std::string& problem = model.problem_type();
  const std::string& named = model.activation();
  if (!named.empty()) {
    return named == "softmax"   ? ScoreKind::kSoftmax
           : named == "sigmoid" ? ScoreKind::kSigmoid
                                : ScoreKind::kNone;
  }
  if (problem == "multi_label_classification") return ScoreKind::kSigmoid;
  if (problem == "regression") return ScoreKind::kNone;
  if (problem.empty() && model.config().num_labels == 1) return ScoreKind::kSigmoid;
  return ScoreKind::kSoftmax;
}

// A cross-encoder's prompt; that of an embedding model is not for its classifier.
std::string default_prompt(const TextModel& model) {
  return model.activation().empty() ? "" : model.sentence().default_text();
}

// A cross-encoder reads what its tokenizer's limit allows, as in sentence-transformers; another
// classifier all that the model takes, as in the pipelines of transformers.
Limits default_limits(const TextModel& model) {
  return {model.activation().empty() ? model.config().max_positions : model.max_tokens()};
}

void score(const double* logits, std::size_t width, ScoreKind kind, float* scores) {
  if (kind == ScoreKind::kSoftmax) return softmax(logits, width, scores);
  for (std::size_t i = 0; i < width; ++i) {
    scores[i] = static_cast<float>(kind == ScoreKind::kSigmoid ? sigmoid(logits[i]) : logits[i]);
  }
}

// The mean of the rows of one text's windows.
void mean_row(std::vector<double>* rows, std::size_t windows, std::size_t width, double* mean) {
  fold_sum(rows->data(), windows, width);
  for (std::size_t i = 0; i < width; ++i) mean[i] = (*rows)[i] / static_cast<double>(windows);
}

}  // namespace

std::vector<double> sequence_logits(const Task& task, const std::vector<Text>& texts,
                                    const RunOptions& run) {
  const std::size_t width = task.model().config().num_labels;
  std::vector<double> means(texts.size() * width);
  for (const Range& group : text_groups(texts, task.max_batch_tokens())) {
    const std::vector<Window> windows = task.encode(texts, group, run);
    std::vector<double> logits(windows.size() * width);
    run_windows(task, windows, Wanted::kSequenceLogits, run,
                [&](std::size_t i, const OutputRows& rows) {
                  std::copy_n(rows.first, width, logits.data() + i * width);
                });
    for (const Range& own : groups_of(windows)) {
      std::vector<double> rows(&logits[own.begin * width], logits.data() + own.end * width);
      mean_row(&rows, own.size(), width, means.data() + windows[own.begin].index * width);
    }
  }
  return means;
}

Classifier::Classifier(const std::shared_ptr<const TextModel>& model,
                       const ClassifierOptions& options, std::string_view name)
    : Task(model, name, {Head::kSequenceClassification}, options, default_limits(*model),
           default_prompt(*model)),
      score_kind_(options.score_kind.value_or(score_kind_of(*model))) {}

std::vector<float> Classifier::scores(const std::vector<Text>& texts, const RunOptions& run) const {
  const std::size_t width = labels().size();
  const std::vector<double> logits = sequence_logits(*this, texts, run);
  std::vector<float> scores(logits.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    score(logits.data() + i * width, width, score_kind_, scores.data() + i * width);
  }
  return scores;
}

std::vector<std::vector<Classification>> Classifier::classify(const std::vector<Text>& texts,
                                                              std::size_t top_k,
                                                              const RunOptions& run) const {
  const std::size_t width = labels().size();
  const std::vector<float> all = scores(texts, run);
  std::vector<std::vector<Classification>> ranked(texts.size());
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const float* const row = all.data() + i * width;
    for (const std::size_t label : best_indices(row, width, top_k)) {
      ranked[i].push_back({label, labels()[label], row[label]});
    }
  }
  return ranked;
}

}  // namespace mbrt
