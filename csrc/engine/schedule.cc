#include "engine/schedule.h"

#include <algorithm>
#include <chrono>

#include "base/lanes.h"
#include "base/thread_pool.h"
#include "engine/panel.h"

namespace mbrt {
namespace {

// The constants of the cost model, measured on Zen 4 with AVX512-VNNI, where its unit is 1/180 ns.
// Reading the weights takes at least as long as the products of five rows. Where it overlaps with
// more rows it adds two, or eight when the weights are floats: too many for the caches, so that the
// threads compete for the memory.
constexpr double kLeastRows = 5, kReadRowsInt8 = 2, kReadRowsFp32 = 8;
constexpr double kWake = 9e6;         // of the other threads: 50 us
constexpr double kBarrier = 6e4;      // 0.33 us
constexpr double kColumnLoss = 1.15;  // narrow products; every thread quantises all rows
constexpr double kMinGain = 0.9;
// Of the narrowest product, per thread.
constexpr std::size_t kMinColumns = 32;

constexpr std::int64_t kMaxBackOff = 500'000'000;  // ns

std::int64_t nanoseconds(BackOff::Duration duration) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(duration).count();
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

std::size_t weight_bytes(const LinearWeights& linear) {
  const std::size_t element = linear.precision == Precision::kInt8 ? 1 : sizeof(float);
  return linear.n_padded * linear.k_padded * element;
}

}  // namespace

CostModel::CostModel(const ModelWeights& weights)
    : read_rows(weights.config.precision == Precision::kInt8 ? kReadRowsInt8 : kReadRowsFp32),
      row_barriers(static_cast<double>(weights.blocks.size())),
      max_sharers(std::max<std::size_t>(pad16(weights.config.body_size) / kMinColumns, 1)) {
  for (const BlockWeights& block : weights.blocks) {
    column_barriers += 1;  // before keys and values are stored
    const auto add = [this](const LinearWeights& linear, bool has_barrier) {
      weight_bytes += static_cast<double>(mbrt::weight_bytes(linear));
      if (has_barrier) column_barriers += 1;
      if (linear.norm.weight != nullptr) column_barriers += 1;
    };
    for (const LinearWeights* linear : {&block.query, &block.key, &block.value})
      add(*linear, false);
    add(block.attention_output, true);
    for (const FfnWeights& ffn : block.ffns) {
      add(ffn.intermediate, true);
      add(ffn.output, true);
    }
    for (const auto* linear :
         {&block.bottleneck_input, &block.bottleneck_attention, &block.output_bottleneck}) {
      if (*linear) add(**linear, true);
    }
  }
}

std::size_t CostModel::threads(Sharing sharing, std::size_t rows, std::size_t max_threads) const {
  if (sharing == Sharing::kRows) return WorkerRows::useful_workers(rows, max_threads);
  const bool can_share = sharing == Sharing::kColumns && rows <= kPanelRows;
  return can_share ? std::min(max_threads, max_sharers) : 1;
}

double CostModel::work(Sharing sharing, std::size_t rows, std::size_t max_threads) const {
  const std::size_t sharers = threads(sharing, rows, max_threads);
  const auto pass = [this](std::size_t count) {
    return weight_bytes * std::max(kLeastRows, read_rows + static_cast<double>(count));
  };
  if (sharing == Sharing::kColumns && sharers > 1) {
    return kColumnLoss * pass(rows) / static_cast<double>(sharers);
  }
  return pass(sharing == Sharing::kRows ? WorkerRows::max_rows(rows, sharers) : rows);
}

double CostModel::cost(Sharing sharing, std::size_t rows, std::size_t max_threads) const {
  const double own = work(sharing, rows, max_threads);
  if (threads(sharing, rows, max_threads) == 1) return own;
  const double barriers = sharing == Sharing::kRows ? row_barriers : column_barriers;
  return own + kWake + kBarrier * barriers;
}

Sharing CostModel::best(std::size_t rows, std::size_t max_threads) const {
  Sharing best = Sharing::kNone;
  double least = kMinGain * cost(best, rows, max_threads);
  for (const Sharing sharing : {Sharing::kRows, Sharing::kColumns}) {
    const double found = cost(sharing, rows, max_threads);
    if (found <= least) {
      best = sharing;
      least = found;
    }
  }
  return best;
}

Plan plan_call(const Batch& batch, const CostModel& costs, std::size_t max_threads,
               std::vector<Chunk>& chunks, std::optional<Sharing> forced) {
  max_threads = std::clamp<std::size_t>(max_threads, 1, kMaxThreads);
  const std::size_t tokens = batch.tokens();
  const std::size_t even = (tokens + 2 * max_threads - 1) / (2 * max_threads);
  cut_chunks(batch,
             max_threads == 1 ? kChunkTokens : std::clamp<std::size_t>(even, 64, kChunkTokens),
             chunks);
  const bool chunk_each = max_threads > 1 && chunks.size() >= 2 * max_threads;
  if (!chunk_each) cut_chunks(batch, kChunkTokens, chunks);

  Plan plan;
  WorkspaceSizes& sizes = plan.sizes;
  for (const Chunk& chunk : chunks) {
    const std::size_t length = batch.offsets[chunk.last] - batch.offsets[chunk.first];
    sizes.chunk_tokens = std::max(sizes.chunk_tokens, length);
    sizes.chunk_sequences = std::max(sizes.chunk_sequences, chunk.last - chunk.first);
  }
  for (std::size_t b = 0; b < batch.sequences; ++b) {
    sizes.longest = std::max(sizes.longest, batch.length(b));
  }
  if (chunk_each) {
    sizes.streams = sizes.workers = sizes.with_rows = max_threads;
    return plan;
  }
  const std::size_t rows = sizes.chunk_tokens;
  const Sharing sharing = forced ? *forced : costs.best(rows, max_threads);
  sizes.streams = 1;
  sizes.workers = costs.threads(sharing, rows, max_threads);
  sizes.by_columns = sharing == Sharing::kColumns && sizes.workers > 1;
  sizes.with_rows = sizes.by_columns ? 1 : sizes.workers;
  plan.speedup = costs.work(Sharing::kNone, rows, 1) / costs.work(sharing, rows, max_threads);
  return plan;
}

bool BackOff::is_over(Time now) const {
  return nanoseconds(now.time_since_epoch()) >= not_before_.load(std::memory_order_relaxed);
}

void BackOff::report(Time now, Duration took, Duration waited, double speedup) {
  const std::int64_t before = length_.load(std::memory_order_relaxed);
  const std::int64_t call = nanoseconds(took);
  const double alone = static_cast<double>(nanoseconds(took - waited)) * speedup;
  if (static_cast<double>(call) < alone) {
    length_.store(before / 2, std::memory_order_relaxed);
    return;
  }
  const std::int64_t length = std::max(call, std::min(2 * before, kMaxBackOff));
  length_.store(length, std::memory_order_relaxed);
  not_before_.store(nanoseconds(now.time_since_epoch()) + length, std::memory_order_relaxed);
}

}  // namespace mbrt
