// Attention in floats. For each head of a sequence:
//   keys    [padded keys / 16][head][16]      scores  = query (rows x head)  times keys
//   values  [head, padded / 16][keys][16]     context = weights (rows x keys) times values
#include <algorithm>
#include <cstring>

#include "engine/attention_kinds.h"
#include "engine/segments.h"

namespace mbrt {
namespace {

class AttentionF32 : public Attention {
 public:
  AttentionF32(const Widths& widths, const KernelSet& kernels)
      : Attention(widths, kernels), multiply_(kernels.gemm_f32) {}

  void store_queries(const Panel& panel, const Rows& queries) const override;
  void store_keys(const Panel& panel, std::size_t layer, const Rows& keys) const override;
  void store_values(const Panel& panel, std::size_t layer, const Rows& values) const override;

 private:
  void run_head(const Worker& worker, const Strip& strip, std::size_t head) const override;

  // All heads of a sequence are stored together, so a sequence begins at its first padded token
  // times the width of all heads.
  float* keys_of(const KeysValues& kv, std::size_t kv_token, std::size_t length,
                 std::size_t head) const {
    return kv.keys_f32 + (kv_token * widths_.heads + head * pad16(length)) * widths_.head;
  }
  float* values_of(const KeysValues& kv, std::size_t kv_token, std::size_t length,
                   std::size_t head) const {
    return kv.values_f32 + (kv_token * widths_.heads + head * length) * widths_.head_padded;
  }

  Kernel<GemmF32> multiply_;
};

void AttentionF32::store_queries(const Panel& panel, const Rows& queries) const {
  float* to = panel.view->stream->query_f32 + panel.first * widths_.body;
  std::memcpy(to, queries.x, panel.rows * widths_.body * sizeof(float));
}

void AttentionF32::store_keys(const Panel& panel, std::size_t layer, const Rows& keys) const {
  const Widths& w = widths_;
  const KeysValues& kv = panel.view->stream->kv[layer % 2];
  for_each_segment(panel, [&](const Segment& segment) {
    const bool is_last = segment.position + segment.rows == segment.length;
    for (std::size_t head = 0; head < w.heads; ++head) {
      float* packed = keys_of(kv, segment.kv_token, segment.length, head);
      const auto column = [&](std::size_t position) {
        return packed + position / kLanes * kLanes * w.head + position % kLanes;
      };
      for (std::size_t row = 0; row < segment.rows; ++row) {
        float* to = column(segment.position + row);
        const float* from = keys.x + (segment.panel_row + row) * keys.stride + head * w.head;
        for (std::size_t i = 0; i < w.head; ++i) to[i * kLanes] = from[i];
      }
      // The product reads whole blocks of 16 keys: those after the last must be finite.
      for (std::size_t past = segment.length; is_last && past < pad16(segment.length); ++past) {
        for (std::size_t i = 0; i < w.head; ++i) column(past)[i * kLanes] = 0.0f;
      }
    }
  });
}

void AttentionF32::store_values(const Panel& panel, std::size_t layer, const Rows& values) const {
  const Widths& w = widths_;
  const KeysValues& kv = panel.view->stream->kv[layer % 2];
  for_each_segment(panel, [&](const Segment& segment) {
    for (std::size_t head = 0; head < w.heads; ++head) {
      float* packed = values_of(kv, segment.kv_token, segment.length, head);
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

void AttentionF32::run_head(const Worker& worker, const Strip& strip, std::size_t head) const {
  const Widths& w = widths_;
  const Scratch& scratch = *strip.scratch;
  const std::size_t padded_keys = pad16(strip.keys);
  multiply_({.epilogue = Epilogue::kProduct,
             .m = strip.rows,
             .n = pad16(strip.reach),
             .k = w.head,
             .a = strip.stream->query_f32 + strip.token * w.body + head * w.head,
             .a_stride = w.body,
             .w = keys_of(*strip.kv, strip.kv_token, strip.keys, head),
             .panel_stride = w.head * kLanes,
             .out = scratch.scores,
             .out_stride = padded_keys});
  strip.mark(worker, Operation::kScores, strip.pairs() * w.head, Precision::kFp32);
  kernels_->softmax(strip.softmax());
  strip.mark(worker, Operation::kSoftmax, 0, Precision::kFp32);
  multiply_({.epilogue = Epilogue::kProduct,
             .m = strip.rows,
             .n = w.head_padded,
             .k = strip.reach,
             .a = scratch.scores,
             .a_stride = padded_keys,
             .w = values_of(*strip.kv, strip.kv_token, strip.keys, head),
             .panel_stride = strip.keys * kLanes,
             .out = scratch.head_out,
             .out_stride = w.head_padded});
  std::memcpy(scratch.factor, scratch.inverse, strip.rows * sizeof(float));
}

}  // namespace

std::unique_ptr<const Attention> make_attention_f32(const Widths& widths,
                                                    const KernelSet& kernels) {
  return std::make_unique<const AttentionF32>(widths, kernels);
}

}  // namespace mbrt
