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
    ffns_.push_back(
        {.intermediate = Linear(ffn.intermediate, kernels, {ffn_intermediate(i), stage_},
                                &config.activation, ffn.activation_scale),
         .output = Linear(ffn.output, kernels, {ffn_output(i), stage_})});
  }
}

// The residual stream of the block: narrow between bottlenecks, the hidden state itself without
// them.
const Rows& Block::body(const Panel& panel) const {
  return bottleneck_ == Bottleneck::kNone ? panel.hidden : panel.residual;
}

void Block::start(Worker& worker, const Panel& panel) const {
  const std::size_t rows = panel.rows;
  const QuantisedRows& memory = panel.scratch->quantised;
  const PanelRows& at = panel.scratch->rows;

  const Linear& first = bottleneck_input_ ? *bottleneck_input_ : query_;
  Operand in = first.prepare(worker, panel.hidden, rows, memory);
  if (bottleneck_input_) bottleneck_input_->run(worker, in, rows, panel.residual);
  if (bottleneck_ == Bottleneck::kFull) {
    worker.panel_barrier(stage_);
    in = query_.prepare(worker, panel.residual, rows, memory);
  }
  value_.run(worker, in, rows, at.value);
  if (bottleneck_attention_) {
    bottleneck_attention_->run(worker, in, rows, at.narrow);
    worker.panel_barrier(stage_);
    in = query_.prepare(worker, at.narrow, rows, memory);
  }
  query_.run(worker, in, rows, at.query);
  key_.run(worker, in, rows, at.key);

  worker.panel_barrier(stage_);
  if (worker.runs(0)) attention_->store_queries(panel, at.query);
  if (worker.runs(1)) attention_->store_keys(panel, layer_, at.key);
  if (worker.runs(2)) attention_->store_values(panel, layer_, at.value);
  worker.mark({Operation::kStore, stage_}, rows);
}

void Block::finish(Worker& worker, const Panel& panel) const {
  const Rows& context = panel.scratch->rows.context;
  const Rows& wide = panel.scratch->rows.wide;
  const Rows& stream = body(panel);

  attention_->run(worker, panel, layer_, context);
  worker.panel_barrier(stage_);
  add(worker, panel, attention_output_, context, stream);
  for (const Ffn& ffn : ffns_) {
    const Operand in =
        ffn.intermediate.prepare(worker, stream, panel.rows, panel.scratch->quantised);
    ffn.intermediate.run(worker, in, panel.rows, wide);
    worker.panel_barrier(stage_);
    add(worker, panel, ffn.output, wide, stream, ffn.intermediate.ends_in_relu());
  }
  if (output_bottleneck_) add(worker, panel, *output_bottleneck_, stream, panel.hidden);
}

// to = norm(to * residual_scale + W x + b), complete for all workers of the panel.
void Block::add(Worker& worker, const Panel& panel, const Linear& linear, const Rows& x,
                const Rows& to, bool non_negative) const {
  const Operand in = linear.prepare(worker, x, panel.rows, panel.scratch->quantised, non_negative);
  linear.run_residual(worker, in, panel.rows, to, to);
  worker.panel_barrier(stage_);
}

}  // namespace mbrt
