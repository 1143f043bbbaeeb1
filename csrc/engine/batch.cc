#include "engine/batch.h"

namespace mbrt {

void PackedSequences::add(std::span<const std::int32_t> ids, std::span<const std::int32_t> types,
                          std::span<const std::uint8_t> key_mask) {
  const std::size_t end = ids_.size() + ids.size();
  const auto append = [&](auto& to, const auto& from, auto value) {
    if (to.empty() && from.empty()) return;
    to.resize(ids_.size(), value);
    to.insert(to.end(), from.begin(), from.end());
    to.resize(end, value);
  };
  append(types_, types, 0);
  append(key_mask_, key_mask, std::uint8_t{1});
  ids_.insert(ids_.end(), ids.begin(), ids.end());
  offsets_.push_back(end);
}

// Keeps the memory.
void PackedSequences::clear() {
  offsets_.resize(1);
  ids_.clear();
  types_.clear();
  key_mask_.clear();
}

Batch PackedSequences::batch() const {
  return {.sequences = offsets_.size() - 1,
          .offsets = offsets_.data(),
          .ids = ids_.data(),
          .types = types_.empty() ? nullptr : types_.data(),
          .key_mask = key_mask_.empty() ? nullptr : key_mask_.data()};
}

}  // namespace mbrt
