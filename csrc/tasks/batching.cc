#include "tasks/batching.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace mbrt {
namespace {

// One batch on its way through the engine; its memory serves the next one too.
class Runner {
 public:
  Runner(const Task& task, Wanted wanted, const RunOptions& run)
      : encoder_(task.model().encoder()),
        wanted_(wanted),
        run_(run),
        threads_(run.thread_count()),
        stride_((wanted == Wanted::kHidden ? encoder_.shapes().hidden : encoder_.shapes().logits)
                    .stride()) {}

  void add(const Window& window, const std::vector<std::size_t>* chosen) {
    const std::size_t token = packed_.tokens();
    packed_.add(window.encoding.ids, types_read(encoder_.config(), window.encoding));
    first_rows_.push_back(rows_);
    if (wanted_ == Wanted::kSequenceLogits) {
      ++rows_;
    } else if (wanted_ == Wanted::kChosenLogits) {
      for (const std::size_t position : *chosen) chosen_.push_back(token + position);
      rows_ += chosen->size();
    } else {
      rows_ += window.size();
    }
  }

  void run() {
    values_.resize(rows_ * stride_);
    Outputs outputs;
    (wanted_ == Wanted::kHidden ? outputs.last_hidden_state : outputs.logits) = values_.data();
    if (wanted_ == Wanted::kChosenLogits) {
      outputs.logit_tokens = chosen_.data();
      outputs.logit_token_count = chosen_.size();
    }
    encoder_.run(packed_.batch(), outputs, run_.control, threads_);
  }

  OutputRows rows_of(std::size_t sequence) const {
    return {values_.data() + first_rows_[sequence] * stride_, stride_};
  }

  void clear() {
    packed_.clear();
    first_rows_.clear();
    chosen_.clear();
    rows_ = 0;
  }

 private:
  const Encoder& encoder_;
  const Wanted wanted_;
  const RunOptions& run_;
  const std::size_t threads_;
  const std::size_t stride_;
  PackedSequences packed_;
  std::vector<std::size_t> first_rows_, chosen_;
  std::size_t rows_ = 0;
  std::vector<float> values_;
};

}  // namespace

std::vector<std::vector<std::size_t>> plan_batches(const std::vector<std::size_t>& lengths,
                                                   std::size_t max_tokens) {
  std::vector<std::size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return lengths[a] != lengths[b] ? lengths[a] > lengths[b] : a < b;
  });
  std::vector<std::vector<std::size_t>> batches;
  std::size_t capacity = 0;
  for (const std::size_t index : order) {
    if (batches.empty() || lengths[index] > capacity) {
      batches.emplace_back();
      capacity = std::max(max_tokens, lengths[index]);
    }
    batches.back().push_back(index);
    capacity -= lengths[index];
  }
  return batches;
}

void run_windows(const Task& task, const std::vector<Window>& windows, Wanted wanted,
                 const RunOptions& run,
                 const std::function<void(std::size_t, const OutputRows&)>& collect,
                 const std::vector<std::vector<std::size_t>>* chosen) {
  std::vector<std::size_t> numbers, lengths;  // of the windows that are run
  for (std::size_t i = 0; i < windows.size(); ++i) {
    if (wanted == Wanted::kChosenLogits && (*chosen)[i].empty()) continue;
    numbers.push_back(i);
    lengths.push_back(windows[i].size());
  }
  Runner runner(task, wanted, run);
  for (const std::vector<std::size_t>& batch : plan_batches(lengths, task.max_batch_tokens())) {
    runner.clear();
    for (const std::size_t i : batch) {
      runner.add(windows[numbers[i]], chosen == nullptr ? nullptr : &(*chosen)[numbers[i]]);
    }
    runner.run();
    std::size_t texts = 0;
    for (std::size_t row = 0; row < batch.size(); ++row) {
      const std::size_t number = numbers[batch[row]];
      collect(number, runner.rows_of(row));
      texts += windows[number].first == 0;
    }
    if (run.progress) run.progress(texts);
  }
}

std::size_t group_bytes(std::size_t max_batch_tokens) {
  constexpr std::size_t kBatches = 8, kBytesPerToken = 4, kMaxTokens = std::size_t{1} << 24;
  return std::min(max_batch_tokens, kMaxTokens) * kBytesPerToken * kBatches;
}

std::vector<Range> text_groups(const std::vector<Text>& texts, std::size_t max_batch_tokens) {
  const std::size_t budget = group_bytes(max_batch_tokens);
  std::vector<Range> groups;
  std::size_t used = budget;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (used >= budget) {
      groups.push_back({i, i});
      used = 0;
    }
    groups.back().end = i + 1;
    used += 1 + texts[i].bytes();
  }
  return groups;
}

}  // namespace mbrt
