// How the work of a call is divided: into chunks of sequences, and among threads.
#ifndef MBRT_ENGINE_SCHEDULE_H_
#define MBRT_ENGINE_SCHEDULE_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/batch.h"
#include "engine/workspace.h"
#include "model/weights.h"

namespace mbrt {

// How the threads of a call share a chunk. kColumns needs a chunk of one panel.
enum class Sharing : std::uint8_t { kNone, kRows, kColumns };

// What a chunk costs in each way: products and weights, barriers, and waking the threads. The unit is
// the time of one byte of weights and one row; only which way costs least matters.
struct CostModel {
  CostModel() = default;
  explicit CostModel(const ModelWeights& weights);

  // Threads of the max_threads that have something to do.
  std::size_t threads(Sharing sharing, std::size_t rows, std::size_t max_threads) const;
  // Of the thread with most work, without waiting.
  double work(Sharing sharing, std::size_t rows, std::size_t max_threads) const;
  double cost(Sharing sharing, std::size_t rows, std::size_t max_threads) const;
  // The way that costs least, if it saves a tenth.
  Sharing best(std::size_t rows, std::size_t max_threads) const;

  double weight_bytes = 0;      // of the blocks
  double read_rows = 0;         // what reading them adds to the products of many rows
  double row_barriers = 0;      // of a chunk whose rows are shared
  double column_barriers = 0;   // the same for columns
  std::size_t max_sharers = 1;  // of columns
};

// How up to max_threads threads divide the chunks of a call:
//
//   many chunks      each thread takes whole chunks, without barriers    streams > 1
//   few chunks       all threads share one chunk after another           streams = 1
struct Plan {
  WorkspaceSizes sizes;
  // How much longer the whole chunk would take the first thread than its own part, without waiting.
  double speedup = 1;
};

// Cuts the batch into chunks and plans the call. forced: how to share a chunk, for tests.
Plan plan_call(const Batch& batch, const CostModel& costs, std::size_t max_threads,
               std::vector<Chunk>& chunks, std::optional<Sharing> forced = std::nullopt);

// Sharing is slower than one thread where the threads do not have a core each. After a shared call
// that one thread would have made in the same time, calls do not share for as long as that call
// took; for twice as long after the next one, up to half a second; and after each call that was
// faster, half as long.
class BackOff {
 public:
  using Time = std::chrono::steady_clock::time_point;
  using Duration = std::chrono::steady_clock::duration;

  bool is_over(Time now) const;
  // Of a shared call that has just ended: how long it took, how long its first thread waited for
  // others in that time, and the plan's speedup.
  void report(Time now, Duration took, Duration waited, double speedup);

 private:
  std::atomic<std::int64_t> not_before_{0}, length_{0};  // ns
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_SCHEDULE_H_
