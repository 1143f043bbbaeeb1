#include "tasks/reranker.h"

#include <string>

#include "base/error.h"
#include "tasks/numeric.h"

namespace mbrt {
namespace {

ClassifierOptions with_defaults(const TextModel& model, ClassifierOptions options) {
  options.max_length = options.max_length.value_or(model.max_tokens());
  options.on_overflow = options.on_overflow.value_or(OnOverflow::kTruncate);
  return options;
}

}  // namespace

Reranker::Reranker(const std::shared_ptr<const TextModel>& model, const ClassifierOptions& options)
    : Classifier(model, with_defaults(*model, options), "A reranker") {
  if (labels().size() == 1) return;
  throw UnsupportedModelError("A reranker needs a model with one label; " + model->name() +
                              " has " + std::to_string(labels().size()) + ".");
}

std::vector<float> Reranker::scores(const std::vector<Text>& pairs, const RunOptions& run) const {
  check_pairs(pairs, run.first_index, "query and document");
  return Classifier::scores(pairs, run);
}

std::vector<Ranked> Reranker::rank(std::string_view query, const std::vector<Text>& documents,
                                   std::size_t top_k, const RunOptions& run) const {
  check_single(documents, run.first_index);
  std::vector<Text> pairs;
  pairs.reserve(documents.size());
  for (const Text& document : documents) pairs.push_back({query, document.first});
  return ranked(scores(pairs, run), top_k);
}

std::vector<Ranked> ranked(const std::vector<float>& scores, std::size_t top_k) {
  std::vector<Ranked> found;
  for (const std::size_t index : best_indices(scores.data(), scores.size(), top_k)) {
    found.push_back({index, scores[index]});
  }
  return found;
}

}  // namespace mbrt
