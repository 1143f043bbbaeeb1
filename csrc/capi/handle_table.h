// Handles of the C API: numbers that are looked up, never dereferenced pointers. A number consists of a
// slot, the slot's generation and the kind of the table, so that invalid and closed handles are
// detected, also after the slot has been reused.
#ifndef MBRT_CAPI_HANDLE_TABLE_H_
#define MBRT_CAPI_HANDLE_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <utility>
#include <vector>

#include "base/threads.h"

namespace mbrt::capi {

template <typename T>
class HandleTable {
 public:
  // kind: 1 to 255, different for each table.
  explicit HandleTable(std::uint8_t kind) : kind_(kind) {}

  std::uint64_t add(std::shared_ptr<T> object) {
    const std::lock_guard<Mutex> lock(mutex_);
    if (free_.empty()) {
      if (slots_.size() == kMaxSlots) throw std::bad_alloc();
      free_.reserve(slots_.size() + 1);  // so that remove() never allocates
      slots_.emplace_back();
      free_.push_back(slots_.size() - 1);
    }
    const std::size_t index = free_.back();
    free_.pop_back();
    slots_[index].object = std::move(object);
    return std::uint64_t{kind_} << 56 | std::uint64_t{slots_[index].generation} << kIndexBits |
           index;
  }

  // The object, or null for an invalid handle.
  std::shared_ptr<T> find(std::uint64_t id) {
    const std::lock_guard<Mutex> lock(mutex_);
    const Slot* const slot = slot_of(id);
    return slot == nullptr ? nullptr : slot->object;
  }

  // The same, and invalidates the handle. The object is not destroyed under the lock.
  std::shared_ptr<T> remove(std::uint64_t id) {
    const std::lock_guard<Mutex> lock(mutex_);
    Slot* const slot = slot_of(id);
    if (slot == nullptr) return nullptr;
    std::shared_ptr<T> object = std::move(slot->object);
    slot->object.reset();
    // A slot without unused generations is never reused.
    if (++slot->generation != 0) free_.push_back(static_cast<std::size_t>(slot - slots_.data()));
    return object;
  }

  // Held during fork(), so that the child has an unlocked mutex and a consistent table.
  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  static constexpr unsigned kIndexBits = 24;
  static constexpr std::size_t kMaxSlots = std::size_t{1} << kIndexBits;

  struct Slot {
    std::uint32_t generation = 1;
    std::shared_ptr<T> object;
  };

  Slot* slot_of(std::uint64_t id) {
    const std::size_t index = static_cast<std::size_t>(id & (kMaxSlots - 1));
    if (id >> 56 != kind_ || index >= slots_.size()) return nullptr;
    Slot& slot = slots_[index];
    const bool is_current = static_cast<std::uint32_t>(id >> kIndexBits) == slot.generation;
    return is_current && slot.object != nullptr ? &slot : nullptr;
  }

  const std::uint8_t kind_;
  Mutex mutex_;
  std::vector<Slot> slots_;
  std::vector<std::size_t> free_;
};

}  // namespace mbrt::capi

#endif  // MBRT_CAPI_HANDLE_TABLE_H_
