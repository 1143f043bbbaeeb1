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
  Member& member = *panel.scratch->member;
  const PanelRows& at = panel.scratch->rows;
  const Spot store{Operation::kStore, stage_};

  const Linear& first = bottleneck_input_ ? *bottleneck_input_ : query_;
  Operand in = first.prepare(panel.hidden, rows, room);
  if (bottleneck_input_) bottleneck_input_->run(in, rows, panel.residual);
  if (bottleneck_ == Bottleneck::kFull) {
    member.meet(stage_);
    in = query_.prepare(panel.residual, rows, room);
  }
  value_.run(in, rows, at.value);
  if (bottleneck_attention_) {
    bottleneck_attention_->run(in, rows, at.narrow);
    member.meet(stage_);
    in = query_.prepare(at.narrow, rows, room);
  }
  query_.run(in, rows, at.query);
  key_.run(in, rows, at.key);

  member.meet(stage_);
  if (member.does(0)) attention_->store_queries(panel, at.query);
  if (member.does(1)) attention_->store_keys(panel, layer_, at.key);
  if (member.does(2)) attention_->store_values(panel, layer_, at.value);
  member.mark(store, rows);
}

void Block::finish(const Panel& panel) const {
  const std::size_t rows = panel.rows;
  const QuantisedRows& room = panel.scratch->quantised;
  Member& member = *panel.scratch->member;
  const Rows& context = panel.scratch->rows.context;
  const Rows& wide = panel.scratch->rows.wide;
  const Rows& stream = body(panel);

  attention_->run(panel, layer_, context);
  member.meet(stage_);
  attention_output_.run_residual(attention_output_.prepare(context, rows, room), rows, stream,
                                 stream);
  member.meet(stage_);
  for (const Ffn& ffn : ffns_) {
    ffn.intermediate.run(ffn.intermediate.prepare(stream, rows, room), rows, wide);
    member.meet(stage_);
    const bool non_negative = ffn.intermediate.ends_in_relu();
    ffn.output.run_residual(ffn.output.prepare(wide, rows, room, non_negative), rows, stream,
                            stream);
    member.meet(stage_);
  }
  if (output_bottleneck_) {
    output_bottleneck_->run_residual(output_bottleneck_->prepare(stream, rows, room), rows,
                                     panel.hidden, panel.hidden);
    member.meet(stage_);
  }
}

}  // namespace mbrt
