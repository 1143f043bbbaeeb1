// From the last hidden state to pooled vectors and logits.
#ifndef MBRT_ENGINE_HEADS_H_
#define MBRT_ENGINE_HEADS_H_

#include <optional>

#include "engine/linear.h"
#include "engine/outputs.h"
#include "engine/panel.h"
#include "model/weights.h"

namespace mbrt {

class Heads {
 public:
  Heads(const ModelWeights& weights, const KernelSet& kernels);

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
  OutputShapes shapes_;
  std::optional<Linear> pooler_, mlm_transform_, mlm_decoder_, classifier_, next_sentence_;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_HEADS_H_
