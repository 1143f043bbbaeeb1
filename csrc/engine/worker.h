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

enum class Progress { kContinue, kStop };

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
    if (!by_columns_) return {0, count};
    return {count * index_ / size_, count * (index_ + 1) / size_};
  }
  // Its part of a padded number of columns: whole blocks of packed weights.
  Part columns(std::size_t count) const {
    const Part blocks = part(count / kLanes);
    return {blocks.begin * kLanes, blocks.end * kLanes};
  }
  // Whether it runs job number `job` of those on a panel that cannot be divided.
  bool runs(std::size_t job) const { return !by_columns_ || job % size_ == index_; }

  // The time that it waited for other workers.
  Barrier::Duration waited() const { return waited_; }

  // Barrier of the workers that share a panel.
  void panel_barrier(Stage stage) {
    if (by_columns_) wait(false, stage);
  }

  // Barrier of the whole team; every worker gets kStop when any passed stop = true.
  Progress team_barrier(bool stop, Stage stage) {
    return wait(stop, stage) ? Progress::kStop : Progress::kContinue;
  }

  // Records the end of an operation, if the call is profiled.
  void mark(Spot spot, std::size_t rows, const Work& work = {}) const {
    mbrt::mark(track_, spot, rows, work);
  }

 private:
  // Whether any worker passed true.
  bool wait(bool flag, Stage stage) {
    if (team_ != nullptr) flag = team_->barrier.wait(flag ? 1 : 0, &waited_) != 0;
    mark({Operation::kWaiting, stage}, 0);
    return flag;
  }

  ThreadTeam* team_ = nullptr;
  std::size_t size_ = 1;
  std::size_t index_ = 0;
  bool by_columns_ = false;
  Barrier::Duration waited_{};
  Track* track_;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_WORKER_H_
