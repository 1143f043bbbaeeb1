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
    if (!by_columns_) return {0, has_left_ ? 0 : count};
    return {count * index_ / size_, count * (index_ + 1) / size_};
  }
  // Its part of a padded count of columns: whole blocks of packed weights.
  Part columns(std::size_t count) const {
    const Part blocks = part(count / kLanes);
    return {blocks.begin * kLanes, blocks.end * kLanes};
  }
  // Whether a job on the panel that cannot be divided is this one's.
  bool does(std::size_t job) const { return by_columns_ ? job % size_ == index_ : !has_left_; }
  // Of a team that shared columns and has parted, all but the first: nothing falls to it any more.
  bool has_left() const { return has_left_; }
  bool has_parted() const { return has_parted_; }

  // Returns when all who share the panel have come.
  void meet(Stage stage) {
    if (by_columns_) wait(0, stage);
  }

  // Returns when the whole team has come: to all kStop when any passed stop = true.
  Verdict rendezvous(bool stop, Stage stage) {
    const unsigned flags = has_left_ ? 0 : wait(stop ? kStop : 0, stage);
    if (has_left_) return Verdict::kLeave;
    return (flags & kStop) != 0 ? Verdict::kStop : Verdict::kGoOn;
  }

  // Marks the end of an operation if anyone wants to know.
  void mark(Spot spot, std::size_t rows, const Work& work = {}) const {
    if (!has_left_) mbrt::mark(lane_, spot, rows, work);
  }

 private:
  static constexpr unsigned kStop = 1, kCrowded = 2;
  static constexpr std::size_t kMostLongWaits = 4;

  unsigned wait(unsigned flags, Stage stage) {
    if (team_ != nullptr) {
      Barrier& barrier = team_->barrier;
      if (by_columns_ && is_first() && barrier.long_waits() > kMostLongWaits) flags |= kCrowded;
      flags = barrier.wait(flags, by_columns_);
      if ((flags & kCrowded) != 0) part_from_team();
    }
    mark({Operation::kWaiting, stage}, 0);
    return flags;
  }

  // A team that meets for each product and has not a core for each member waits most of the time.
  // The first goes on alone from where they met.
  void part_from_team() {
    team_ = nullptr;
    size_ = 1;
    by_columns_ = false;
    has_parted_ = true;
    has_left_ = !is_first();
  }

  Team* team_ = nullptr;
  std::size_t size_ = 1;
  std::size_t index_ = 0;
  bool by_columns_ = false;
  bool has_parted_ = false;
  bool has_left_ = false;
  Lane* lane_;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_MEMBER_H_
