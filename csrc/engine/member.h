// One thread of a team, and what falls to it.
//
// Most often each has rows of its own, cut into panels, and is alone with every panel. When there
// are too few rows for that all go through one panel together: they make the same calls, each
// quantises the rows for itself, computes columns of its own of every product, and meets the others
// before anyone reads what they all wrote. A column's bits do not depend on who computes it.
#ifndef MBRT_ENGINE_MEMBER_H_
#define MBRT_ENGINE_MEMBER_H_

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

enum class Verdict { kGoOn, kStop, kLeave };

class Member {
 public:
  // lane: where its times go, or null.
  explicit Member(Lane* lane) : lane_(lane) {}  // with no team
  Member(Team& team, std::size_t index, bool by_columns, Lane* lane)
      : team_(&team), size_(team.size), index_(index), by_columns_(by_columns), lane_(lane) {}

  bool is_first() const { return index_ == 0; }
  // Among how many the rows of a chunk are divided, and which of them this is.
  std::size_t row_shares() const { return by_columns_ ? 1 : size_; }
  std::size_t row_share() const { return by_columns_ ? 0 : index_; }

  // Its part of a panel's rows or heads.
  Part part(std::size_t count) const {
    if (!by_columns_) return {0, count};
    return {count * index_ / size_, count * (index_ + 1) / size_};
  }
  // Its part of a padded count of columns: whole blocks of packed weights.
  Part columns(std::size_t count) const {
    const Part blocks = part(count / kLanes);
    return {blocks.begin * kLanes, blocks.end * kLanes};
  }
  // Whether a job on the panel that cannot be divided is this one's.
  bool does(std::size_t job) const { return !by_columns_ || job % size_ == index_; }

  // Returns when all who share the panel have come.
  void meet(Stage stage) const {
    if (!by_columns_) return;
    team_->barrier.wait(0);
    mark({Operation::kWaiting, stage}, 0);
  }

  // Returns when the whole team has come: to all kStop when any passed stop = true. Of a team that
  // shares a panel and often had to sleep, since it has not a core for each, only the first goes
  // on, alone; the others are told to leave.
  Verdict rendezvous(bool stop, Stage stage) {
    unsigned flags = stop ? kStop : 0;
    if (team_ != nullptr) {
      if (by_columns_ && is_first() && team_->barrier.sleeps() > kMostSleeps) flags |= kCrowded;
      flags = team_->barrier.wait(flags);
    }
    mark({Operation::kWaiting, stage}, 0);
    if ((flags & kStop) != 0) return Verdict::kStop;
    if ((flags & kCrowded) == 0) return Verdict::kGoOn;
    if (!is_first()) return Verdict::kLeave;
    *this = Member(lane_);
    return Verdict::kGoOn;
  }

  // Marks the end of an operation if anyone wants to know.
  void mark(Spot spot, std::size_t rows, const Work& work = {}) const {
    if (lane_ != nullptr) lane_->mark(spot, rows, work);
  }

 private:
  static constexpr unsigned kStop = 1, kCrowded = 2;
  static constexpr std::size_t kMostSleeps = 6;

  Team* team_ = nullptr;
  std::size_t size_ = 1;
  std::size_t index_ = 0;
  bool by_columns_ = false;
  Lane* lane_;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_MEMBER_H_
