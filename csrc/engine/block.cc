#include "engine/block.h"

namespace mbrt {

Block::Block(const BlockWeights& weights, const ModelConfig& config, const KernelSet& kernels,
             const Attention& attention, std::size_t layer)
    : layer_(layer),
      stage_(layer_stage(layer)),
      bottleneck_(config.bottleneck),
      query_(weights.query, kernels, {Operation::kQuery, stage_}),
      key_(weights.key, kernels, {Operation::kKey, stage_}),
      value_(weights.value, kernels, {Operation::kValue, stage_}),
      attention_(&attention),
      attention_output_(weights.attention_output, kernels, {Operation::kAttentionOutput, stage_}) {
  const auto emplace = [&](std::optional<Linear>& linear, const std::optional<LinearWeights>& from,
                           Operation operation) {
    if (from) linear.emplace(*from, kernels, Spot{operation, stage_});
  };
  emplace(bottleneck_input_, weights.bottleneck_input, Operation::kBottleneckInput);
  emplace(bottleneck_attention_, weights.bottleneck_attention, Operation::kBottleneckAttention);
  emplace(output_bottleneck_, weights.output_bottleneck, Operation::kOutputBottleneck);
  ffns_.reserve(weights.ffns.size());
  for (const FfnWeights& ffn : weights.ffns) {
    const std::size_t i = ffns_.size();
    ffns_.push_back({Linear(ffn.intermediate, kernels, {ffn_intermediate(i), stage_},
                            &config.activation, ffn.activation_scale),
                     Linear(ffn.output, kernels, {ffn_output(i), stage_})});
  }
}

// The residual stream of the block: narrow between bottlenecks, the hidden state itself without
// them.
const Rows& Block::body(const Panel& panel) const {
  return bottleneck_ == Bottleneck::kNone ? panel.hidden : panel.residual;
}

void Block::start(const Panel& panel) const {
  const std::size_t rows = panel.rows;
  const QuantisedRows& room = panel.scratch->quantised;
  const Spot store{Operation::kStore, stage_};
  const Rows& narrow = panel.scratch->narrow;
  const Rows& context = panel.scratch->context;

  const Linear& first = bottleneck_input_ ? *bottleneck_input_ : query_;
  Operand in = first.prepare(panel.hidden, rows, room);
  if (bottleneck_input_) bottleneck_input_->run(in, rows, panel.residual);
  if (bottleneck_ == Bottleneck::kFull) in = query_.prepare(panel.residual, rows, room);
  value_.run(in, rows, narrow);
  attention_->store_values(panel, layer_, narrow);
  mark(room.lane, store, rows);
  if (bottleneck_attention_) {
    bottleneck_attention_->run(in, rows, narrow);
    in = query_.prepare(narrow, rows, room);
  }
  query_.run(in, rows, context);
  attention_->store_queries(panel, context);
  mark(room.lane, store, rows);
  key_.run(in, rows, context);
  attention_->store_keys(panel, layer_, context);
  mark(room.lane, store, rows);
}

void Block::finish(const Panel& panel) const {
  const std::size_t rows = panel.rows;
  const QuantisedRows& room = panel.scratch->quantised;
  const Rows& context = panel.scratch->context;
  const Rows& wide = panel.scratch->wide;
  const Rows& stream = body(panel);

  attention_->run(panel, layer_, context);
  attention_output_.run_residual(attention_output_.prepare(context, rows, room), rows, stream,
                                 stream);
  for (const Ffn& ffn : ffns_) {
    ffn.intermediate.run(ffn.intermediate.prepare(stream, rows, room), rows, wide);
    ffn.output.run_residual(ffn.output.prepare(wide, rows, room), rows, stream, stream);
  }
  if (output_bottleneck_) {
    output_bottleneck_->run_residual(output_bottleneck_->prepare(stream, rows, room), rows,
                                     panel.hidden, panel.hidden);
  }
}

}  // namespace mbrt
