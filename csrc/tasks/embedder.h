// Texts to vectors, as sentence-transformers computes them.
#ifndef MBRT_TASKS_EMBEDDER_H_
#define MBRT_TASKS_EMBEDDER_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "tasks/batching.h"
#include "tasks/task.h"

namespace mbrt {

// What is not given is as the model file says: see TextModel::pooling(). The default of max_length
// is the file's max_tokens.
struct EmbedderOptions : TaskOptions {
  std::optional<PoolingMode> pooling;
  std::optional<bool> normalize;
};

// One sequence's states to its vector, not normalised: the mean over all its rows, or its first row.
std::vector<double> pool(const OutputRows& states, std::size_t rows, std::size_t width,
                         PoolingMode mode);

class Embedder : public Task {
 public:
  explicit Embedder(const std::shared_ptr<const TextModel>& model,
                    const EmbedderOptions& options = {});

  // Of the options of a sequence.
  static Limits default_limits(const TextModel& model);

  std::size_t dimension() const { return model().config().hidden_size; }
  PoolingMode pooling() const { return pooling_; }
  bool normalize() const { return normalize_; }

  // [texts][dimension]. With OnOverflow::kStride a long text's vector is the mean of its windows'
  // vectors weighted by their tokens, normalised afterwards.
  std::vector<float> embed(const std::vector<Text>& texts, const RunOptions& run = {}) const;

 private:
  PoolingMode pooling_;
  bool normalize_;
};

}  // namespace mbrt

#endif  // MBRT_TASKS_EMBEDDER_H_
