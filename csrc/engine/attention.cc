#include "engine/attention.h"

#include <algorithm>
#include <cstring>

namespace mbrt {
namespace {

// Rows of a panel that belong to one sequence.
struct Segment {
  std::size_t sequence;   // in the batch
  std::size_t panel_row;  // first row in the panel
  std::size_t position;   // its position in the sequence
  std::size_t rows;
  std::size_t length;    // of the sequence
  std::size_t kv_token;  // where the sequence begins in the chunk's keys and values
};

template <typename Visit>
void for_each_segment(const Panel& panel, Visit visit) {
  const ChunkView& view = *panel.view;
  const Batch& batch = *view.batch;
  const std::size_t* offsets = batch.offsets;
  std::size_t token = view.first_token() + panel.first;
  const std::size_t end = token + panel.rows;
  const std::size_t* next =
      std::upper_bound(offsets + view.chunk.first, offsets + view.chunk.last, token);
  std::size_t row = 0;
  for (std::size_t b = static_cast<std::size_t>(next - offsets) - 1; token < end; ++b) {
    const std::size_t rows = std::min(end, offsets[b + 1]) - token;
    visit(Segment{b, row, token - offsets[b], rows, batch.length(b),
                  view.stream->padded_offset[b - view.chunk.first]});
    token += rows;
    row += rows;
  }
}

// All heads of a sequence lie together, so a sequence's part begins at its first padded token times
// the width of all heads.
float* keys_of(const KeysValues& kv, const Widths& w, std::size_t kv_token, std::size_t length,
               std::size_t head) {
  return kv.keys + (kv_token * w.heads + head * pad16(length)) * w.head;
}

float* values_of(const KeysValues& kv, const Widths& w, std::size_t kv_token, std::size_t length,
                 std::size_t head) {
  return kv.values + kv_token * w.heads * w.head_padded + head * length * w.head_padded;
}

// [B][L][heads][S][S]: where sequence b's probabilities of a layer begin.
float* attentions_of(const ChunkView& view, std::size_t sequence, std::size_t layer,
                     std::size_t num_layers) {
  const Batch& batch = *view.batch;
  std::size_t before = 0;
  for (std::size_t b = 0; b < sequence; ++b) before += batch.length(b) * batch.length(b);
  const std::size_t square = batch.length(sequence) * batch.length(sequence);
  return view.outputs->attentions + (before * num_layers + layer * square) * view.widths->heads;
}

const std::uint8_t* pair_mask_of(const Batch& batch, std::size_t sequence) {
  std::size_t before = 0;
  for (std::size_t b = 0; b < sequence; ++b) before += batch.length(b) * batch.length(b);
  return batch.pair_mask + before;
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

// Up to kStripRows query rows of one sequence.
struct Attention::Strip {
  const Widths* widths;
  Scratch* scratch;
  const KeysValues* kv;
  const float* query;  // [rows][query_stride]
  std::size_t query_stride;
  std::size_t rows;
  std::size_t keys;  // length of the sequence
  std::size_t kv_token;
  const std::uint8_t* mask;  // of the first row, or null
  std::size_t mask_stride;
  float* probabilities;  // of head 0, first row, or null: [heads][keys][keys]
  Rows context;          // of the first row
};

void Attention::place_sequences(const ChunkView& view) {
  std::size_t token = 0;
  for (std::size_t b = view.chunk.first; b < view.chunk.last; ++b) {
    view.stream->padded_offset[b - view.chunk.first] = token;
    token += pad16(view.batch->length(b));
  }
}

void Attention::store_keys(const Panel& panel, std::size_t layer, const Rows& keys) {
  const Widths& w = *panel.view->widths;
  const KeysValues& kv = panel.view->stream->kv[layer % 2];
  for_each_segment(panel, [&](const Segment& segment) {
    const bool is_last = segment.position + segment.rows == segment.length;
    for (std::size_t head = 0; head < w.heads; ++head) {
      float* packed = keys_of(kv, w, segment.kv_token, segment.length, head);
      for (std::size_t row = 0; row < segment.rows; ++row) {
        const std::size_t position = segment.position + row;
        float* column = packed + position / kLanes * kLanes * w.head + position % kLanes;
        const float* from = keys.x + (segment.panel_row + row) * keys.stride + head * w.head;
        for (std::size_t i = 0; i < w.head; ++i) column[i * kLanes] = from[i];
      }
      // The product runs over whole blocks of 16 keys: those past the last must be numbers, any
      // numbers.
      for (std::size_t position = segment.length; is_last && position < pad16(segment.length);
           ++position) {
        float* column = packed + position / kLanes * kLanes * w.head + position % kLanes;
        for (std::size_t i = 0; i < w.head; ++i) column[i * kLanes] = 0.0f;
      }
    }
  });
}

void Attention::store_values(const Panel& panel, std::size_t layer, const Rows& values) {
  const Widths& w = *panel.view->widths;
  const KeysValues& kv = panel.view->stream->kv[layer % 2];
  for_each_segment(panel, [&](const Segment& segment) {
    for (std::size_t head = 0; head < w.heads; ++head) {
      float* packed = values_of(kv, w, segment.kv_token, segment.length, head);
      for (std::size_t row = 0; row < segment.rows; ++row) {
        const float* from = values.x + (segment.panel_row + row) * values.stride + head * w.head;
        float* to = packed + (segment.position + row) * kLanes;
        for (std::size_t i = 0; i < w.head_padded; i += kLanes, to += segment.length * kLanes) {
          const std::size_t real = std::min(kLanes, w.head - i);
          std::memcpy(to, from + i, real * sizeof(float));
          if (real < kLanes) std::memset(to + real, 0, (kLanes - real) * sizeof(float));
        }
      }
    }
  });
}

void Attention::run(const Panel& panel, std::size_t layer, std::size_t num_layers,
                    const Rows& context) const {
  const ChunkView& view = *panel.view;
  const Widths& w = *view.widths;
  const Batch& batch = *view.batch;
  std::memset(context.range, 0, panel.rows * kRangeFloats * sizeof(float));
  zero_padding(panel, context);
  for_each_segment(panel, [&](const Segment& segment) {
    const std::size_t s = segment.length;
    for (std::size_t done = 0; done < segment.rows; done += kStripRows) {
      const std::size_t row = segment.panel_row + done;
      const std::size_t position = segment.position + done;
      Strip strip{
          &w,
          panel.scratch,
          &view.stream->kv[layer % 2],
          panel.query.x + row * panel.query.stride,
          panel.query.stride,
          std::min(kStripRows, segment.rows - done),
          s,
          segment.kv_token,
          nullptr,
          0,
          nullptr,
          {context.x + row * context.stride, context.stride, context.range + row * kRangeFloats}};
      if (batch.key_mask != nullptr) {
        strip.mask = batch.key_mask + batch.offsets[segment.sequence];
      } else if (batch.pair_mask != nullptr) {
        strip.mask = pair_mask_of(batch, segment.sequence) + position * s;
        strip.mask_stride = s;
      }
      if (view.outputs->attentions != nullptr) {
        strip.probabilities =
            attentions_of(view, segment.sequence, layer, num_layers) + position * s;
      }
      for (std::size_t head = 0; head < w.heads; ++head) run_head(strip, head);
    }
  });
}

void Attention::run_head(const Strip& strip, std::size_t head) const {
  const Widths& w = *strip.widths;
  const Scratch& scratch = *strip.scratch;
  const std::size_t padded_keys = pad16(strip.keys);
  kernels_->product_f32({strip.rows, padded_keys, w.head, strip.query + head * w.head,
                         strip.query_stride,
                         keys_of(*strip.kv, w, strip.kv_token, strip.keys, head), w.head * kLanes,
                         nullptr, nullptr, 0, nullptr, scratch.scores, padded_keys});
  kernels_->softmax({strip.rows, strip.keys, scratch.scores, padded_keys, strip.mask,
                     strip.mask_stride, scratch.sums});
  if (strip.probabilities != nullptr) {
    for (std::size_t row = 0; row < strip.rows; ++row) {
      const float inverse = 1.0f / scratch.sums[row];
      const float* from = scratch.scores + row * padded_keys;
      float* to = strip.probabilities + (head * strip.keys + row) * strip.keys;
      for (std::size_t key = 0; key < strip.keys; ++key) to[key] = from[key] * inverse;
    }
  }
  kernels_->product_f32({strip.rows, w.head_padded, strip.keys, scratch.scores, padded_keys,
                         values_of(*strip.kv, w, strip.kv_token, strip.keys, head),
                         strip.keys * kLanes, nullptr, nullptr, 0, nullptr, scratch.head_out,
                         w.head_padded});
  kernels_->context({strip.rows, w.head, scratch.head_out, w.head_padded, scratch.sums,
                     strip.context.x + head * w.head, strip.context.stride, strip.context.range});
}

}  // namespace mbrt
