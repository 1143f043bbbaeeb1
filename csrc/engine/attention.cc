#include "engine/attention.h"

#include <algorithm>
#include <cstring>

#include "engine/attention_kinds.h"
#include "engine/segments.h"

namespace mbrt {
namespace {

// [B][L][heads][S][S]: where sequence b's probabilities of a layer begin.
float* attentions_of(const ChunkView& view, std::size_t sequence, std::size_t layer,
                     std::size_t num_layers) {
  const Batch& batch = *view.batch;
  const std::size_t square = batch.length(sequence) * batch.length(sequence);
  return view.outputs->attentions +
         (batch.pairs_before(sequence) * num_layers + layer * square) * view.widths->heads;
}

// The heads write only their own columns; the padding after the last head must be 0.
void zero_padding(const Panel& panel, const Rows& context) {
  const Widths& w = *panel.view->widths;
  const std::size_t written = w.heads * w.head;
  for (std::size_t row = 0; written < w.body && row < panel.rows; ++row) {
    std::memset(context.x + row * context.stride + written, 0, (w.body - written) * sizeof(float));
  }
}

}  // namespace

std::unique_ptr<const Attention> Attention::make(Precision precision, const Widths& widths,
                                                 const KernelSet& kernels) {
  return precision == Precision::kInt8 ? make_attention_s8(widths, kernels)
                                       : make_attention_f32(widths, kernels);
}

void Attention::place_sequences(const ChunkView& view) {
  std::size_t token = 0;
  for (std::size_t b = view.chunk.first; b < view.chunk.last; ++b) {
    view.stream->padded_offset[b - view.chunk.first] = token;
    token += pad16(view.batch->length(b));
  }
}

Softmax Attention::Strip::softmax() const {
  return {.rows = rows,
          .keys = keys,
          .first_keys = first_keys,
          .s = scratch->scores,
          .s_stride = pad16(keys),
          .mask = mask,
          .mask_stride = mask_stride,
          .inverse = scratch->inverse};
}

void Attention::run(const Worker& worker, const Panel& panel, std::size_t layer,
                    const Rows& context) const {
  const ChunkView& view = *panel.view;
  const Batch& batch = *view.batch;
  if (worker.runs(0)) zero_padding(panel, context);
  for_each_segment(panel, [&](const Segment& segment) {
    const std::size_t s = segment.length;
    for (std::size_t done = 0; done < segment.rows; done += kStripRows) {
      const std::size_t row = segment.panel_row + done;
      const std::size_t position = segment.position + done;
      const std::size_t rows = std::min(kStripRows, segment.rows - done);
      Strip strip{.stream = view.stream,
                  .kv = &view.stream->kv[layer % 2],
                  .scratch = panel.scratch,
                  .token = panel.first + row,
                  .rows = rows,
                  .keys = s,
                  .first_keys = widths_.causal ? position + 1 : 0,
                  .reach = widths_.causal ? position + rows : s,
                  .kv_token = segment.kv_token,
                  .context = {context.x + row * context.stride, context.stride},
                  .stage = layer_stage(layer)};
      if (batch.key_mask != nullptr) {
        strip.mask = batch.key_mask + batch.offsets[segment.sequence];
      } else if (batch.pair_mask != nullptr) {
        strip.mask = batch.pair_mask + batch.pairs_before(segment.sequence) + position * s;
        strip.mask_stride = s;
      }
      if (view.outputs->attentions != nullptr) {
        strip.probabilities =
            attentions_of(view, segment.sequence, layer, widths_.layers) + position * s;
      }
      run_strip(worker, strip);
    }
  });
}

void Attention::run_strip(const Worker& worker, const Strip& strip) const {
  const Widths& w = widths_;
  const Scratch& scratch = *strip.scratch;
  const Part heads = worker.part(w.heads);
  for (std::size_t head = heads.begin; head < heads.end; ++head) {
    run_head(worker, strip, head);
    kernels_->context({.rows = strip.rows,
                       .n = w.head,
                       .x = scratch.head_out,
                       .x_stride = w.head_padded,
                       .factor = scratch.factor,
                       .y = strip.context.x + head * w.head,
                       .y_stride = strip.context.stride});
    strip.mark(worker, Operation::kContext, strip.pairs() * w.head, w.precision);
    if (strip.probabilities == nullptr) continue;
    for (std::size_t row = 0; row < strip.rows; ++row) {
      const float* from = scratch.scores + row * pad16(strip.keys);
      float* to = strip.probabilities + (head * strip.keys + row) * strip.keys;
      for (std::size_t key = 0; key < strip.keys; ++key) to[key] = from[key] * scratch.inverse[row];
    }
    strip.mark(worker, Operation::kOutputs, 0, w.precision);
  }
}

}  // namespace mbrt
