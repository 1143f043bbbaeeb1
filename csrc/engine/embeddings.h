// Token ids to the first hidden state.
//
//   with projection     h = norm(W [e(next), e(current), e(previous)] + b + (position + type))
//   without             h = norm((e + type) + position)
//
// e is a row of the word table: floats, or bytes times the row's scale. Outside the sequence e is
// 0.
#ifndef MBRT_ENGINE_EMBEDDINGS_H_
#define MBRT_ENGINE_EMBEDDINGS_H_

#include <optional>
#include <vector>

#include "engine/linear.h"
#include "engine/panel.h"
#include "model/weights.h"

namespace mbrt {

class Embeddings {
 public:
  Embeddings(const ModelWeights& weights, const KernelSet& kernels);

  // Writes panel.hidden.
  void run(Worker& worker, const Panel& panel) const;

 private:
  void gather_words(const Worker& worker, const Panel& panel) const;
  void add_tables(const Worker& worker, const Panel& panel) const;
  void write_word(std::int32_t id, float* to) const;

  const EmbeddingWeights* weights_;
  const KernelSet* kernels_;
  bool trigram_;
  std::size_t word_width_;    // padded
  std::size_t hidden_width_;  // padded
  std::size_t hidden_size_;
  std::vector<float> ones_;  // the residual scale of the sum with position and type
  LinearWeights projection_weights_{};
  std::optional<Linear> projection_;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_EMBEDDINGS_H_
