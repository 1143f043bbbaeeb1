// What the text tasks share: a model and the limits of a sequence.
#ifndef MBRT_TASKS_TASK_H_
#define MBRT_TASKS_TASK_H_

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tasks/run_options.h"
#include "tasks/text_model.h"
#include "tasks/windows.h"

namespace mbrt {

// What is not given has the task's own default.
struct TaskOptions {
  std::optional<std::size_t> max_length;  // tokens of a sequence with its special tokens
  std::optional<OnOverflow> on_overflow;  // kError; embeddings: kTruncate, answers: kStride
  std::optional<std::size_t> stride;      // tokens that neighbouring windows share
  std::size_t max_batch_tokens = 4096;  // run at once: memory grows with it, results do not change
  std::optional<std::size_t> batch_size;  // instead, in texts of max_length tokens
};

// The limits of a sequence: the options, else the defaults. InputError for limits that make no sense.
Limits limits_of(const TextModel& model, const TaskOptions& options, const Limits& defaults);

// A model and the limits of a sequence; the tasks derive from it. Safe to share between threads.
//
// Making one throws UnsupportedModelError for a model with another head, InputError for limits that
// make no sense. Calls throw InputError (naming the text), TimeoutError and CancelledError.
class Task {
 public:
  const TextModel& model() const { return *model_; }
  const Limits& limits() const { return limits_; }
  std::size_t max_batch_tokens() const { return max_batch_tokens_; }

  // What is put before each text (of a pair, the first); mostly empty.
  const std::string& prompt() const { return prompt_; }

  // Tokens of a text with its prompt and special tokens, before any overflow policy.
  std::size_t count_tokens(const Text& text) const;

  // The sequences of texts [group.begin, group.end), without offsets, with the prompt: see
  // encode_windows.
  std::vector<Window> encode(const std::vector<Text>& texts, Range group,
                             const RunOptions& run) const;

 protected:
  // heads: those that the task can use; none: any.
  Task(std::shared_ptr<const TextModel> model, std::string_view task,
       std::initializer_list<Head> heads, const TaskOptions& options, const Limits& defaults,
       std::string prompt = {});

  // Throws InputError for a pair, in tasks that read single texts only.
  static void check_single(const std::vector<Text>& texts, std::size_t first_index);
  // Throws InputError for a single text, in tasks that read pairs. parts: what a pair consists of.
  static void check_pairs(const std::vector<Text>& texts, std::size_t first_index,
                          std::string_view parts);

 private:
  std::shared_ptr<const TextModel> model_;
  Limits limits_;
  std::size_t max_batch_tokens_;
  std::string prompt_;
};

}  // namespace mbrt

#endif  // MBRT_TASKS_TASK_H_
