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

  // Writes the outputs that the view asks for, for this worker's part of the chunk. Every worker
  // must have finished the encoder.
  void run(Worker& worker, const ChunkView& view, const Scratch& scratch) const;

 private:
  void run_tokens(Worker& worker, const ChunkView& view, const Scratch& scratch) const;
  void run_sequences(Worker& worker, const ChunkView& view, const Scratch& scratch) const;
  static void run_layer(Worker& worker, const Linear& layer, const Scratch& scratch, const Rows& in,
                        std::size_t rows, const Rows& out);

  OutputShapes shapes_;
  std::optional<Linear> pooler_, mlm_transform_, mlm_decoder_, classifier_, next_sentence_;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_HEADS_H_
