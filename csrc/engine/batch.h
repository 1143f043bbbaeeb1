// The input of a call. Sequences are packed one after another, without padding tokens.
#ifndef MBRT_ENGINE_BATCH_H_
#define MBRT_ENGINE_BATCH_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mbrt {

struct Batch {
  std::size_t sequences = 0;  // B >= 1
  // [B + 1], ascending from 0; sequence b is tokens offsets[b] to offsets[b + 1] - 1.
  const std::size_t* offsets = nullptr;
  const std::int32_t* ids = nullptr;    // [T], T = offsets[B]
  const std::int32_t* types = nullptr;  // [T], or null for all 0

  // At most one of the two masks; null: every token attends to all tokens of its sequence.
  const std::uint8_t* key_mask = nullptr;   // [T]; 0: no query attends to this token
  const std::uint8_t* pair_mask = nullptr;  // for each sequence [S][S] (query, key)

  std::size_t tokens() const { return offsets[sequences]; }
  std::size_t length(std::size_t b) const { return offsets[b + 1] - offsets[b]; }
  // The sum of length^2 over the sequences before b: where the [S][S] matrices of b begin.
  std::size_t pairs_before(std::size_t b) const {
    std::size_t pairs = 0;
    for (std::size_t i = 0; i < b; ++i) pairs += length(i) * length(i);
    return pairs;
  }
};

// Sequences one after another, as a Batch reads them.
class PackedSequences {
 public:
  // types, key_mask: of each token; empty for all 0 and all 1.
  void add(std::span<const std::int32_t> ids, std::span<const std::int32_t> types = {},
           std::span<const std::uint8_t> key_mask = {});
  void clear();

  // Valid until the next change.
  Batch batch() const;
  std::size_t tokens() const { return ids_.size(); }
  const std::vector<std::size_t>& offsets() const { return offsets_; }

 private:
  std::vector<std::size_t> offsets_{0};
  std::vector<std::int32_t> ids_, types_;
  std::vector<std::uint8_t> key_mask_;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_BATCH_H_
