// How the work of a call is divided: into chunks of sequences, and among threads.
#ifndef MBRT_ENGINE_SCHEDULE_H_
#define MBRT_ENGINE_SCHEDULE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/batch.h"
#include "engine/workspace.h"

namespace mbrt {

// Cuts the batch into chunks and decides how up to max_threads workers divide them:
//
//   many chunks      each worker takes whole chunks, without barriers     streams > 1
//   few chunks       all work on one chunk, each on its own rows          streams = 1
//   one small chunk  all work on one panel, each on its own columns       by_columns
WorkspaceSizes plan_call(const Batch& batch, const Widths& widths, std::size_t max_threads,
                         std::vector<Chunk>& chunks);

// Whether calls may share columns. That takes a barrier after each product, and is slow when the
// threads do not all have a core: after a fall-back calls do not try again for a while, which
// doubles with every fall-back and halves with every success.
class ColumnSharing {
 public:
  // False while other calls use the pool, and for a while after a fall-back.
  bool is_allowed() const;
  // The result of a call that shared columns.
  void report(bool fell_back);

 private:
  std::atomic<std::int64_t> not_before_{0}, backoff_{0};  // ms
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_SCHEDULE_H_
