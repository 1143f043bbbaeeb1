// Batches by token budget: sorted by length, run, and given back one sequence at a time.
#ifndef MBRT_TASKS_BATCHING_H_
#define MBRT_TASKS_BATCHING_H_

#include <cstddef>
#include <functional>
#include <vector>

#include "tasks/task.h"
#include "tasks/windows.h"

namespace mbrt {

// What a task reads of the model's outputs.
enum class Wanted {
  kHidden,          // the last hidden state: a row a token
  kSequenceLogits,  // one row
  kTokenLogits,     // a row a token
  kChosenLogits,    // masked LM: a row for each chosen token
};

// A sequence's rows: row i begins at first + i * stride.
struct OutputRows {
  const float* first;
  std::size_t stride;
  const float* row(std::size_t i) const { return first + i * stride; }
};

// Groups of indices, longest first, each of at most max_tokens tokens (a longer sequence has a
// group of its own). Longest first, so that a lack of memory shows at once.
std::vector<std::vector<std::size_t>> plan_batches(const std::vector<std::size_t>& lengths,
                                                   std::size_t max_tokens);

// Runs every window and calls collect(number of the window, its rows). The rows are gone when
// collect returns. chosen: for kChosenLogits, ascending token positions of each window; windows
// without any are not run. Throws what the engine throws.
void run_windows(const Task& task, const std::vector<Window>& windows, Wanted wanted,
                 const RunOptions& run,
                 const std::function<void(std::size_t, const OutputRows&)>& collect,
                 const std::vector<std::vector<std::size_t>>* chosen = nullptr);

// Texts are tokenised and run in groups of about so many bytes, so that a million texts need the memory
// of a few batches. Bytes stand in for tokens, which are not known yet.
std::size_t group_bytes(std::size_t max_batch_tokens);
std::vector<Range> text_groups(const std::vector<Text>& texts, std::size_t max_batch_tokens);

}  // namespace mbrt

#endif  // MBRT_TASKS_BATCHING_H_
