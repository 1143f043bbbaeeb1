// Attention in bytes, exact sums. Queries, keys and values have one scale per token and head.
// For each head of a sequence, packed as weights are (n16k4; keys and width padded to 16):
//   keys    [keys / 16][width / 4][16][4]     scores  = query bytes (rows x width)  times keys
//   values  [width / 16][keys / 4][16][4]     context = weight bytes (rows x keys) times values
// Padding keys may hold any bytes: their scores are masked, and their weights are 0.
#include <algorithm>
#include <cstring>
#include <vector>

#include "engine/attention_kinds.h"
#include "engine/segments.h"

namespace mbrt {
namespace {

class AttentionS8 : public Attention {
 public:
  AttentionS8(const Widths& widths, const KernelSet& kernels)
      : Attention(widths, kernels),
        multiply_(kernels.gemm_s8),
        ones_(widths.head_padded, 1.0f),
        zeros_(widths.head_padded) {}

  void store_queries(const Panel& panel, const Rows& queries) const override;
  void store_keys(const Panel& panel, std::size_t layer, const Rows& keys) const override;
  void store_values(const Panel& panel, std::size_t layer, const Rows& values) const override;

 private:
  void run_head(const Worker& worker, const Strip& strip, std::size_t head) const override;
  // The rows of one panel in bytes.
  void quantise(const Panel& panel, const Rows& rows, int offset, const QuantisedHeads& to) const {
    kernels_->quantize_heads({.rows = panel.rows,
                              .heads = widths_.heads,
                              .width = widths_.head,
                              .x = rows.x,
                              .x_stride = rows.stride,
                              .offset = offset,
                              .q = to.q,
                              .scale = to.scale,
                              .sum = to.sum});
  }
  void store_values_of(const Segment& segment, std::size_t head, const QuantisedHeads& memory,
                       const KeysValues& kv) const;

  // A head's part of a sequence, in padded keys; times head_padded in bytes.
  std::size_t part(std::size_t kv_token, std::size_t length, std::size_t head) const {
    return kv_token * widths_.heads + head * pad16(length);
  }

  Kernel<GemmS8> multiply_;
  std::vector<float> ones_;          // the scales of the values are already in the weights
  std::vector<std::int32_t> zeros_;  // the weights have no offset, so there is no compensation
};

void AttentionS8::store_queries(const Panel& panel, const Rows& queries) const {
  const Widths& w = widths_;
  const Stream& stream = *panel.view->stream;
  quantise(panel, queries, kernels_->gemm_s8_offset,
           {.q = stream.query_s8 + panel.first * w.heads * w.head_padded,
            .scale = stream.query_scale + panel.first * w.heads});
}

void AttentionS8::store_keys(const Panel& panel, std::size_t layer, const Rows& keys) const {
  const Widths& w = widths_;
  const KeysValues& kv = panel.view->stream->kv[layer % 2];
  const QuantisedHeads& memory = panel.scratch->heads;
  quantise(panel, keys, 0, memory);
  for_each_segment(panel, [&](const Segment& segment) {
    for (std::size_t row = 0; row < segment.rows; ++row) {
      const std::size_t position = segment.position + row;
      const std::size_t first = (segment.panel_row + row) * w.heads;
      for (std::size_t head = 0; head < w.heads; ++head) {
        const std::size_t at = part(segment.kv_token, segment.length, head) + position;
        kv.key_scale[at] = memory.scale[first + head];
        kv.key_compensation[at] = -128 * memory.sum[first + head];
        const std::uint8_t* from = memory.q + (first + head) * w.head_padded;
        std::int8_t* to = kv.keys_s8 + (at - position % kLanes) * w.head_padded;
        to += position % kLanes * 4;
        for (std::size_t i = 0; i < w.head_padded; i += 4)
          std::memcpy(to + i * kLanes, from + i, 4);
      }
    }
  });
}

// A head's columns of one token, to its byte of each four in the packed rows `to_stride` apart; or
// of four tokens that fill such rows, each `from_stride` after the other: 16 columns are one row.
template <std::size_t kTokens>
void store_tokens(const std::uint8_t* from, std::size_t from_stride, std::size_t width,
                  std::int8_t* to, std::size_t to_stride) {
  for (std::size_t i = 0; i < width; i += kLanes, to += to_stride) {
    for (std::size_t j = 0; j < kLanes; ++j) {  // as two loops it becomes byte interleaving
      for (std::size_t k = 0; k < kTokens; ++k) {
        to[j * 4 + k] = static_cast<std::int8_t>(from[k * from_stride + i + j]);
      }
    }
  }
}

void AttentionS8::store_values(const Panel& panel, std::size_t layer, const Rows& values) const {
  const QuantisedHeads memory{.q = panel.scratch->heads.q, .scale = panel.scratch->heads.scale};
  quantise(panel, values, 0, memory);
  for_each_segment(panel, [&](const Segment& segment) {
    for (std::size_t head = 0; head < widths_.heads; ++head) {
      store_values_of(segment, head, memory, panel.view->stream->kv[layer % 2]);
    }
  });
}

void AttentionS8::store_values_of(const Segment& segment, std::size_t head,
                                  const QuantisedHeads& memory, const KeysValues& kv) const {
  const Widths& w = widths_;
  const std::size_t padded = pad16(segment.length);
  const std::size_t end = segment.position + segment.rows;
  const std::size_t begin = part(segment.kv_token, segment.length, head);
  for (std::size_t position = segment.position, step; position < end; position += step) {
    const std::size_t first = (segment.panel_row + position - segment.position) * w.heads + head;
    const std::uint8_t* from = memory.q + first * w.head_padded;
    std::int8_t* to =
        kv.values_s8 + begin * w.head_padded + position / 4 * 4 * kLanes + position % 4;
    step = position % 4 == 0 && end - position >= 4 ? 4 : 1;
    const std::size_t from_stride = w.heads * w.head_padded, to_stride = padded * kLanes;
    if (step == 4) {
      store_tokens<4>(from, from_stride, w.head_padded, to, to_stride);
    } else {
      store_tokens<1>(from, from_stride, w.head_padded, to, to_stride);
    }
    for (std::size_t k = 0; k < step; ++k) {
      kv.value_scale[begin + position + k] = memory.scale[first + k * w.heads];
    }
  }
  if (end == segment.length) {
    std::fill(kv.value_scale + begin + end, kv.value_scale + begin + padded, 0.0f);
  }
}

void AttentionS8::run_head(const Worker& worker, const Strip& strip, std::size_t head) const {
  const Widths& w = widths_;
  const Scratch& scratch = *strip.scratch;
  const KeysValues& kv = *strip.kv;
  const std::size_t padded_keys = pad16(strip.keys);
  const std::size_t query_stride = w.heads * w.head_padded;
  const std::size_t begin = part(strip.kv_token, strip.keys, head);

  multiply_({.epilogue = Epilogue::kProduct,
             .m = strip.rows,
             .n = pad16(strip.reach),
             .k = w.head_padded,
             .a = strip.stream->query_s8 + strip.token * query_stride + head * w.head_padded,
             .a_stride = query_stride,
             .w = kv.keys_s8 + begin * w.head_padded,
             .compensation = kv.key_compensation + begin,
             .w_scale = kv.key_scale + begin,
             .out = scratch.scores,
             .out_stride = padded_keys});
  strip.mark(worker, Operation::kScores, strip.pairs() * w.head, Precision::kInt8);

  kernels_->softmax_s8({.scores = strip.softmax(),
                        .s_scale = strip.stream->query_scale + strip.token * w.heads + head,
                        .s_scale_stride = w.heads,
                        .value_scale = kv.value_scale + begin,
                        .p = scratch.weights,
                        .p_stride = padded_keys,
                        .factor = scratch.factor});
  strip.mark(worker, Operation::kSoftmax, 0, Precision::kInt8);

  multiply_({.epilogue = Epilogue::kProduct,
             .m = strip.rows,
             .n = w.head_padded,
             .k = padded_keys,
             .a = scratch.weights,
             .a_stride = padded_keys,
             .w = kv.values_s8 + begin * w.head_padded,
             .compensation = zeros_.data(),
             .w_scale = ones_.data(),
             .out = scratch.head_out,
             .out_stride = w.head_padded,
             .non_negative = true});
}

}  // namespace

std::unique_ptr<const Attention> make_attention_s8(const Widths& widths, const KernelSet& kernels) {
  return std::make_unique<const AttentionS8>(widths, kernels);
}

}  // namespace mbrt
