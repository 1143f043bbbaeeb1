#include "engine/schedule.h"

#include <algorithm>
#include <chrono>

#include "base/thread_pool.h"
#include "engine/panel.h"

namespace mbrt {
namespace {

// Min columns per thread, of the narrowest product, for which a barrier per product pays off.
constexpr std::size_t kMinColumns = 32;
constexpr std::int64_t kMinBackoff = 2, kMaxBackoff = 512;  // ms

std::int64_t milliseconds_now() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// Whole sequences, up to max_tokens per chunk; a longer sequence is a chunk of its own.
void cut_chunks(const Batch& batch, std::size_t max_tokens, std::vector<Chunk>& chunks) {
  chunks.clear();
  for (std::size_t b = 0; b < batch.sequences; ++b) {
    const bool fits =
        !chunks.empty() && batch.offsets[b + 1] - batch.offsets[chunks.back().first] <= max_tokens;
    if (fits) {
      chunks.back().last = b + 1;
    } else {
      chunks.push_back({.first = b, .last = b + 1});
    }
  }
}

// How many workers should share the columns of one panel; 1: divide the rows instead. Dividing rows
// is better, with one barrier per layer instead of one per product, unless the worker with the most
// rows then takes longer than 4/3 of an even division.
std::size_t column_sharers(std::size_t tokens, const Widths& widths, std::size_t max_threads) {
  const std::size_t sharers = std::min(max_threads, widths.body / kMinColumns);
  const std::size_t by_rows = WorkerRows::useful_workers(tokens, max_threads);
  const std::size_t max_rows = WorkerRows::max_rows(tokens, by_rows);
  const bool fits = tokens <= kPanelRows && sharers > 1;
  return fits && 3 * max_rows * sharers > 4 * tokens ? sharers : 1;
}

}  // namespace

WorkspaceSizes plan_call(const Batch& batch, const Widths& widths, std::size_t max_threads,
                         std::vector<Chunk>& chunks) {
  max_threads = std::clamp<std::size_t>(max_threads, 1, kMaxThreads);
  const std::size_t tokens = batch.tokens();
  const std::size_t even = (tokens + 2 * max_threads - 1) / (2 * max_threads);
  cut_chunks(batch,
             max_threads == 1 ? kChunkTokens : std::clamp<std::size_t>(even, 64, kChunkTokens),
             chunks);
  const bool chunk_each = max_threads > 1 && chunks.size() >= 2 * max_threads;
  if (!chunk_each) cut_chunks(batch, kChunkTokens, chunks);

  WorkspaceSizes sizes;
  for (const Chunk& chunk : chunks) {
    const std::size_t length = batch.offsets[chunk.last] - batch.offsets[chunk.first];
    sizes.chunk_tokens = std::max(sizes.chunk_tokens, length);
    sizes.chunk_sequences = std::max(sizes.chunk_sequences, chunk.last - chunk.first);
  }
  for (std::size_t b = 0; b < batch.sequences; ++b) {
    sizes.longest = std::max(sizes.longest, batch.length(b));
  }
  sizes.streams = chunk_each ? max_threads : 1;
  sizes.with_rows =
      chunk_each ? max_threads : WorkerRows::useful_workers(sizes.chunk_tokens, max_threads);
  const std::size_t sharers = chunks.size() == 1 ? column_sharers(tokens, widths, max_threads) : 1;
  sizes.by_columns = sharers > 1;
  sizes.workers = sizes.by_columns ? sharers : sizes.with_rows;
  return sizes;
}

bool ColumnSharing::is_allowed() const {
  if (ThreadPool::instance().callers() > 0) return false;
  return milliseconds_now() >= not_before_.load(std::memory_order_relaxed);
}

void ColumnSharing::report(bool fell_back) {
  const std::int64_t before = backoff_.load(std::memory_order_relaxed);
  const std::int64_t after =
      fell_back ? std::clamp(2 * before, kMinBackoff, kMaxBackoff) : before / 2;
  backoff_.store(after, std::memory_order_relaxed);
  if (fell_back) not_before_.store(milliseconds_now() + after, std::memory_order_relaxed);
}

}  // namespace mbrt
