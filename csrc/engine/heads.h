// From the last hidden state to pooled vectors and logits.
#ifndef MBRT_ENGINE_HEADS_H_
#define MBRT_ENGINE_HEADS_H_

#include <optional>

#include "engine/linear.h"
#include "engine/panel.h"
#include "model/weights.h"

namespace mbrt {

class Heads {
 public:
  Heads(const ModelWeights& weights, const KernelSet& kernels);

  // One logits row a token (or a wanted token); false: one a sequence.
  bool logits_are_per_token() const { return mlm_decoder_ || per_token_classifier_; }

  // Columns of a logits row, padded; 0 when the model has no such head.
  std::size_t logits_width() const { return logits_width_; }

  // Fills what the view's Outputs ask for, for this member's share of the chunk. Every member must
  // have finished the encoder.
  void run(const ChunkView& view, Scratch& scratch) const;

 private:
  void run_tokens(const ChunkView& view, Scratch& scratch) const;
  void run_sequences(const ChunkView& view, Scratch& scratch) const;
  void run_mlm(const Linear& transform, const Linear& decoder, Scratch& scratch, std::size_t rows,
               float* logits) const;
  Rows pool(Scratch& scratch, std::size_t rows) const;

  Pooler pooler_kind_;
  bool per_token_classifier_;
  std::size_t logits_width_ = 0;
  std::optional<Linear> pooler_, mlm_transform_, mlm_decoder_, classifier_, next_sentence_;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_HEADS_H_
