// What a call is given and what it fills. Sequences are packed one after another; there is no
// padding token anywhere.
#ifndef MBRT_ENGINE_BATCH_H_
#define MBRT_ENGINE_BATCH_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace mbrt {

struct Batch {
  std::size_t sequences = 0;  // B >= 1
  const std::size_t* offsets =
      nullptr;  // [B + 1], ascending from 0; sequence b is tokens offsets[b] .. offsets[b + 1] - 1
  const std::int32_t* ids = nullptr;    // [T], T = offsets[B]
  const std::int32_t* types = nullptr;  // [T], or null for all 0

  // At most one of the two; null: every token may be attended by every token of its sequence.
  const std::uint8_t* key_mask = nullptr;  // [T], 0 = no query may attend this token
  const std::uint8_t* pair_mask =
      nullptr;  // for each sequence [S][S] (query, key), one after another

  std::size_t tokens() const { return offsets[sequences]; }
  std::size_t length(std::size_t b) const { return offsets[b + 1] - offsets[b]; }
};

// Every pointer is optional; rows are padded to the strides of Model::strides(). "Padded" columns
// hold 0.
struct Outputs {
  float* last_hidden_state = nullptr;  // [T][hidden]
  float* hidden_states = nullptr;  // [L + 1][T][hidden]: the embeddings, then each block's output
  float* attentions = nullptr;  // for each sequence [L][heads][S][S], one after another; not padded
  float* pooled = nullptr;      // [B][hidden]
  float* logits = nullptr;      // [B or T or logit_tokens][labels or vocabulary]
  float* next_sentence = nullptr;  // [B][16]

  // Masked LM only: the tokens (positions in the packed batch) whose logits are wanted; null: all
  // T.
  const std::size_t* logit_tokens = nullptr;
  std::size_t logit_token_count = 0;
};

// How a running call is stopped from outside. Looked at once a layer.
struct CallControl {
  const std::atomic<bool>* cancelled = nullptr;
  std::optional<std::chrono::steady_clock::time_point> deadline;

  bool is_cancelled() const {
    return cancelled != nullptr && cancelled->load(std::memory_order_relaxed);
  }
  bool is_late() const { return deadline && std::chrono::steady_clock::now() >= *deadline; }
  bool should_stop() const { return is_cancelled() || is_late(); }
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_BATCH_H_
