// One block of the encoder, executed by panels: nothing here touches the whole sequence.
//
// A block is cut where attention needs the other panels: `start` makes the panel's queries, keys
// and values, `finish` does all the rest, from the attention to the stream that enters the next
// block. Between the two every panel of the sequence must have started.
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
  void start(const Panel& panel) const;

  // queries, keys, values, panel.residual, panel.hidden -> panel.hidden
  void finish(const Panel& panel) const;

 private:
  struct Ffn {
    Linear intermediate, output;
  };
  const Rows& body(const Panel& panel) const;

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
