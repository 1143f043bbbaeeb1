// How a call of a task runs.
#ifndef MBRT_TASKS_RUN_OPTIONS_H_
#define MBRT_TASKS_RUN_OPTIONS_H_

#include <cstddef>
#include <functional>

#include "base/call_control.h"

namespace mbrt {

struct RunOptions {
  std::size_t threads = 0;  // the caller's included; 0: default_thread_count()
  CallControl control{};
  std::size_t first_index = 0;  // the number of the first input in error messages
  std::size_t texts_per_input =
      1;  // consecutive texts that are one input, as a text with each label

  // After each batch, with the number of texts whose first window was in it. May throw.
  std::function<void(std::size_t texts)> progress{};
  // For each text that OnOverflow::kTruncate shortens: its number and its length in tokens.
  std::function<void(std::size_t index, std::size_t tokens)> truncated{};

  std::size_t thread_count() const;
  // The number of a text's input in messages.
  std::size_t input_number(std::size_t text) const { return first_index + text / texts_per_input; }
};

}  // namespace mbrt

#endif  // MBRT_TASKS_RUN_OPTIONS_H_
