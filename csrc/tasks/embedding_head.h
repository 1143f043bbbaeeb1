// From the states of a text to its vector: pooling, the modules behind it, normalising, truncating.
#ifndef MBRT_TASKS_EMBEDDING_HEAD_H_
#define MBRT_TASKS_EMBEDDING_HEAD_H_

#include <cstddef>
#include <optional>
#include <vector>

#include "engine/encoder.h"
#include "engine/module.h"
#include "tasks/batching.h"

namespace mbrt {

// What is not given is as the model file says.
struct EmbeddingOptions {
  std::optional<std::vector<PoolingMode>> pooling;
  // To length 1: true, after truncating; false, never. By default as the file says, before truncating,
  // as in sentence-transformers.
  std::optional<bool> normalize;
  std::optional<std::size_t>
      truncate_dim;  // a larger number than there are dimensions changes nothing
};

class EmbeddingHead {
 public:
  // The encoder must outlive the head. InputError for a pooling that does not fit the modules.
  EmbeddingHead(const Encoder& encoder, const EmbeddingOptions& options);

  const std::vector<PoolingMode>& pooling() const { return modes_; }
  bool normalize() const { return normalize_; }
  std::size_t dimension() const { return dimension_; }

  // The states of one sequence, of which the first `skipped` are left out (never all): the modes'
  // vectors, joined.
  std::vector<double> pool(const OutputRows& states, std::size_t rows, std::size_t skipped) const;

  // From a pooled vector to `dimension()` floats.
  void finish(std::vector<double> pooled, float* to) const;

 private:
  std::size_t width_;  // of a state
  std::vector<PoolingMode> modes_;
  std::vector<Module> modules_;
  bool normalize_;
  bool truncates_first_;
  std::size_t dimension_;
};

}  // namespace mbrt

#endif  // MBRT_TASKS_EMBEDDING_HEAD_H_
