// Documents in the order of their relevance to a query, by a cross-encoder: a sequence classification
// model of one label that reads query and document as a pair.
#ifndef MBRT_TASKS_RERANKER_H_
#define MBRT_TASKS_RERANKER_H_

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "tasks/classifier.h"

namespace mbrt {

struct Ranked {
  std::size_t index;  // of the document
  float score;
};

// Long pairs are truncated by default.
class Reranker : public Classifier {
 public:
  // UnsupportedModelError for a model with several labels.
  explicit Reranker(const std::shared_ptr<const TextModel>& model,
                    const ClassifierOptions& options = {});

  // For each pair of query and document. InputError for a single text.
  std::vector<float> scores(const std::vector<Text>& pairs, const RunOptions& run = {}) const;

  // The documents, best first; at most top_k of them (0: all). Messages and RunOptions number documents.
  std::vector<Ranked> rank(std::string_view query, const std::vector<Text>& documents,
                           std::size_t top_k = 0, const RunOptions& run = {}) const;
};

// Indices and scores, best first; at most top_k of them (0: all).
std::vector<Ranked> ranked(const std::vector<float>& scores, std::size_t top_k);

}  // namespace mbrt

#endif  // MBRT_TASKS_RERANKER_H_
