// One thread of a call, and its part of the work.
//
// Usually every worker has rows of its own, cut into panels. When there are too few rows for that,
// all workers share the columns of one panel: they make the same calls, each quantises the rows for
// itself, computes its own columns of every product, and waits at a barrier before anyone reads
// what all wrote. A column's bits do not depend on who computes it.
#ifndef MBRT_ENGINE_WORKER_H_
#define MBRT_ENGINE_WORKER_H_

#include <cstddef>

#include "base/lanes.h"
#include "base/thread_pool.h"
#include "engine/profile.h"

namespace mbrt {

// Consecutive columns, rows or heads.
struct Part {
  std::size_t begin, end;
  std::size_t size() const { return end - begin; }
};

// kIdle: this worker has no work left in the chunk.
enum class Progress { kContinue, kStop, kIdle };

class Worker {
 public:
  // track: where times are recorded, or null.
  explicit Worker(Track* track) : track_(track) {}  // alone
  Worker(ThreadTeam& team, std::size_t index, bool by_columns, Track* track)
      : team_(&team), size_(team.size), index_(index), by_columns_(by_columns), track_(track) {}

  bool is_first() const { return index_ == 0; }
  // The rows of a chunk are divided into row_parts(); this worker computes number row_part().
  std::size_t row_parts() const { return by_columns_ ? 1 : size_; }
  std::size_t row_part() const { return by_columns_ ? 0 : index_; }

  // Its part of the rows or heads of a panel.
  Part part(std::size_t count) const {
    if (!by_columns_) return {0, idle_ ? 0 : count};
    return {count * index_ / size_, count * (index_ + 1) / size_};
  }
  // Its part of a padded number of columns: whole blocks of packed weights.
  Part columns(std::size_t count) const {
    const Part blocks = part(count / kLanes);
    return {blocks.begin * kLanes, blocks.end * kLanes};
  }
  // Whether it runs job number `job` of those on a panel that cannot be divided.
  bool runs(std::size_t job) const { return by_columns_ ? job % size_ == index_ : !idle_; }

  // After long waits, workers that share columns fall back to one thread: the first worker computes
  // all columns, the others are idle.
  bool fell_back() const { return fell_back_; }
  bool is_idle() const { return idle_; }

  // Barrier of the workers that share a panel.
  void panel_barrier(Stage stage) {
    if (by_columns_) wait(0, stage);
  }

  // Barrier of the whole team; every worker gets kStop when any passed stop = true.
  Progress team_barrier(bool stop, Stage stage) {
    const unsigned flags = idle_ ? 0 : wait(stop ? kStop : 0, stage);
    if (idle_) return Progress::kIdle;
    return (flags & kStop) != 0 ? Progress::kStop : Progress::kContinue;
  }

  // Records the end of an operation, if the call is profiled.
  void mark(Spot spot, std::size_t rows, const Work& work = {}) const {
    if (!idle_) mbrt::mark(track_, spot, rows, work);
  }

 private:
  static constexpr unsigned kStop = 1, kFallBack = 2;
  static constexpr std::size_t kMaxLongWaits = 4;

  unsigned wait(unsigned flags, Stage stage) {
    if (team_ != nullptr) {
      Barrier& barrier = team_->barrier;
      if (by_columns_ && is_first() && barrier.long_waits() > kMaxLongWaits) flags |= kFallBack;
      flags = barrier.wait(flags, by_columns_);
      if ((flags & kFallBack) != 0) fall_back();
    }
    mark({Operation::kWaiting, stage}, 0);
    return flags;
  }

  // All workers are at the same barrier, so the first can continue alone from here.
  void fall_back() {
    team_ = nullptr;
    size_ = 1;
    by_columns_ = false;
    fell_back_ = true;
    idle_ = !is_first();
  }

  ThreadTeam* team_ = nullptr;
  std::size_t size_ = 1;
  std::size_t index_ = 0;
  bool by_columns_ = false;
  bool fell_back_ = false;
  bool idle_ = false;
  Track* track_;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_WORKER_H_
