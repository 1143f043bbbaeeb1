// One block of the encoder, computed panel by panel.
//
// Attention needs all panels of a sequence, so a block is divided there: `start` computes a panel's
// queries, keys and values; `finish`, once every panel of the sequence has started, computes the
// rest, from attention to the input of the next block.
#ifndef MBRT_ENGINE_BLOCK_H_
#define MBRT_ENGINE_BLOCK_H_

#include <optional>
#include <vector>

#include "engine/attention.h"
#include "engine/linear.h"
#include "engine/panel.h"
#include "model/weights.h"

namespace mbrt {

class Block {
 public:
  Block(const BlockWeights& weights, const ModelConfig& config, const KernelSet& kernels,
        const Attention& attention, std::size_t layer);

  // panel.hidden -> panel.residual, stored queries, keys and values
  void start(Worker& worker, const Panel& panel) const;

  // queries, keys, values, panel.residual, panel.hidden -> panel.hidden
  void finish(Worker& worker, const Panel& panel) const;

 private:
  struct Ffn {
    Linear intermediate, output;
  };
  const Rows& body(const Panel& panel) const;
  void add(Worker& worker, const Panel& panel, const Linear& linear, const Rows& x, const Rows& to,
           bool non_negative = false) const;

  std::size_t layer_;
  Stage stage_;
  Bottleneck bottleneck_;
  std::optional<Linear> bottleneck_input_, bottleneck_attention_;
  Linear query_, key_, value_;
  const Attention* attention_;
  Linear attention_output_;
  std::vector<Ffn> ffns_;
  std::optional<Linear> output_bottleneck_;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_BLOCK_H_
