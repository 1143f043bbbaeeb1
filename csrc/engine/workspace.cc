#include "engine/workspace.h"

#include <algorithm>

namespace mbrt {
namespace {

// Hands out pieces of a block; without a block it only adds up their sizes. Sizes cannot overflow:
// every width is at most 2^14 (model/config.h), a chunk has at most max(512, 4096) tokens, and
// there are at most 256 workers.
class Arena {
 public:
  explicit Arena(std::byte* base) : base_(base) {}

  template <typename T>
  T* take(std::size_t count) {
    T* piece = base_ == nullptr ? nullptr : reinterpret_cast<T*>(base_ + used_);
    used_ += (count * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    return piece;
  }

  Rows rows(std::size_t count, std::size_t width) { return {take<float>(count * width), width}; }

  std::size_t used() const { return used_; }

 private:
  std::byte* base_;
  std::size_t used_ = 0;
};

KeysValues take_kv(Arena& arena, const Widths& w, std::size_t padded_tokens) {
  const std::size_t rows = padded_tokens * w.heads;
  KeysValues kv;
  if (w.precision == Precision::kFp32) {
    kv.keys_f32 = arena.take<float>(rows * w.head);
    kv.values_f32 = arena.take<float>(rows * w.head_padded);
    return kv;
  }
  kv.keys_s8 = arena.take<std::int8_t>(rows * w.head_padded);
  kv.key_compensation = arena.take<std::int32_t>(rows);
  kv.key_scale = arena.take<float>(rows);
  kv.values_s8 = arena.take<std::int8_t>(rows * w.head_padded);
  kv.value_scale = arena.take<float>(rows);
  return kv;
}

Stream take_stream(Arena& arena, const Widths& w, const WorkspaceSizes& sizes) {
  const std::size_t tokens = sizes.chunk_tokens;
  const std::size_t sequences = sizes.chunk_sequences;
  const std::size_t padded_tokens = tokens + sequences * (kLanes - 1);
  Stream stream;
  stream.hidden = arena.take<float>(tokens * w.hidden);
  stream.residual = arena.take<float>(tokens * w.body);
  if (w.precision == Precision::kFp32) {
    stream.query_f32 = arena.take<float>(tokens * w.body);
  } else {
    stream.query_s8 = arena.take<std::uint8_t>(tokens * w.heads * w.head_padded);
    stream.query_scale = arena.take<float>(tokens * w.heads);
  }
  for (KeysValues& kv : stream.kv) kv = take_kv(arena, w, padded_tokens);
  stream.padded_offset = arena.take<std::size_t>(sequences + 1);
  return stream;
}

PanelRows take_rows(Arena& arena, const Widths& w) {
  PanelRows rows;
  rows.gathered = arena.rows(kPanelRows, std::max(w.hidden, w.embedding_input));
  for (Rows* narrow : {&rows.narrow, &rows.query, &rows.key, &rows.value, &rows.context}) {
    *narrow = arena.rows(kPanelRows, w.body);
  }
  rows.wide = arena.rows(kPanelRows, std::max(w.intermediate, w.hidden));
  return rows;
}

Scratch take_scratch(Arena& arena, const Widths& w, const WorkspaceSizes& sizes,
                     std::size_t worker) {
  const std::size_t widest = std::max({w.hidden, w.body, w.intermediate, w.embedding_input});
  Scratch s;
  if (worker < sizes.with_rows) s.rows = take_rows(arena, w);
  s.quantised = {.q = arena.take<std::uint8_t>(kPanelRows * widest),
                 .scale = arena.take<float>(kPanelRows),
                 .shift = arena.take<float>(kPanelRows)};
  s.scores = arena.take<float>(kStripRows * pad16(sizes.longest));
  s.inverse = arena.take<float>(kStripRows);
  s.factor = arena.take<float>(kStripRows);
  s.head_out = arena.take<float>(kStripRows * w.head_padded);
  if (w.precision == Precision::kInt8) {
    const std::size_t parts = kPanelRows * w.heads;
    s.heads = {.q = arena.take<std::uint8_t>(parts * w.head_padded),
               .scale = arena.take<float>(parts),
               .sum = arena.take<std::int32_t>(parts)};
    s.weights = arena.take<std::uint8_t>(kStripRows * pad16(sizes.longest));
  }
  return s;
}

}  // namespace

Widths::Widths(const ModelConfig& config)
    : precision(config.precision),
      layers(config.num_layers),
      hidden(pad16(config.hidden_size)),
      body(pad16(config.body_size)),
      intermediate(pad16(config.intermediate_size)),
      embedding_input(pad16(config.embedding_size) * (config.trigram ? 3 : 1)),
      heads(config.num_heads),
      head(config.body_size / config.num_heads),
      head_padded(pad16(head)),
      causal(config.causal) {}

void Workspace::prepare(const Widths& widths, const WorkspaceSizes& sizes) {
  streams_.resize(sizes.streams);
  scratch_.resize(sizes.workers);
  const std::size_t needed = bytes_for(widths, sizes);
  if (needed > block_.size()) {
    block_ = {};  // freed before the larger one is allocated
    block_ = AlignedArray<std::byte>(needed);
  }
  Arena arena(block_.data());
  for (Stream& stream : streams_) stream = take_stream(arena, widths, sizes);
  for (std::size_t i = 0; i < sizes.workers; ++i) {
    scratch_[i] = take_scratch(arena, widths, sizes, i);
    if (sizes.by_columns) scratch_[i].rows = scratch_.front().rows;
  }
}

std::size_t Workspace::bytes_for(const Widths& widths, const WorkspaceSizes& sizes) {
  Arena arena(nullptr);
  for (std::size_t i = 0; i < sizes.streams; ++i) take_stream(arena, widths, sizes);
  for (std::size_t i = 0; i < sizes.workers; ++i) take_scratch(arena, widths, sizes, i);
  return arena.used();
}

}  // namespace mbrt
