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

// The heads write only their own columns; what follows the last one must read as 0.
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
  return {rows, keys, scratch->scores, pad16(keys), mask, mask_stride, scratch->inverse};
}

void Attention::run(const Panel& panel, std::size_t layer, const Rows& context) const {
  const ChunkView& view = *panel.view;
  const Batch& batch = *view.batch;
  if (panel.scratch->member->does(0)) zero_padding(panel, context);
  for_each_segment(panel, [&](const Segment& segment) {
    const std::size_t s = segment.length;
    for (std::size_t done = 0; done < segment.rows; done += kStripRows) {
      const std::size_t row = segment.panel_row + done;
      const std::size_t position = segment.position + done;
      Strip strip{view.stream,
                  &view.stream->kv[layer % 2],
                  panel.scratch,
                  panel.first + row,
                  std::min(kStripRows, segment.rows - done),
                  s,
                  segment.kv_token,
                  nullptr,
                  0,
                  nullptr,
                  {context.x + row * context.stride, context.stride},
                  layer_stage(layer)};
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
      run_strip(strip);
    }
  });
}

void Attention::run_strip(const Strip& strip) const {
  const Widths& w = widths_;
  const Scratch& scratch = *strip.scratch;
  const Part heads = scratch.member->part(w.heads);
  for (std::size_t head = heads.begin; head < heads.end; ++head) {
    run_head(strip, head);
    kernels_->context({strip.rows, w.head, scratch.head_out, w.head_padded, scratch.factor,
                       strip.context.x + head * w.head, strip.context.stride});
    strip.mark(Operation::kContext, strip.rows * strip.keys * w.head, w.precision);
    if (strip.probabilities == nullptr) continue;
    for (std::size_t row = 0; row < strip.rows; ++row) {
      const float* from = scratch.scores + row * pad16(strip.keys);
      float* to = strip.probabilities + (head * strip.keys + row) * strip.keys;
      for (std::size_t key = 0; key < strip.keys; ++key) to[key] = from[key] * scratch.inverse[row];
    }
    strip.mark(Operation::kOutputs, 0, w.precision);
  }
}

}  // namespace mbrt
