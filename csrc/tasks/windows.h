// From texts to the sequences of token ids that the model runs: one for each text, or several windows
// for a text that is too long.
#ifndef MBRT_TASKS_WINDOWS_H_
#define MBRT_TASKS_WINDOWS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/config.h"
#include "tasks/run_options.h"
#include "text/tokenizer.h"

namespace mbrt {

using text::Text;

enum class OnOverflow {
  kError,     // InputError
  kTruncate,  // keep the beginning; a pair is shortened at its longer text
  kStride,    // windows that share `stride` tokens; of a pair, over the second text
};

struct Limits {
  std::size_t max_length = 0;  // tokens of a sequence, special tokens included
  OnOverflow on_overflow = OnOverflow::kError;
  std::size_t stride = 64;
  // Whatever the stride, at least 1 in min_new of a window's tokens is not in the window before.
  std::size_t min_new = 2;
  // Only the first text of a pair is shortened or read in windows; the second stays whole.
  bool keeps_second = false;
};

// Consecutive numbers [begin, end).
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
};

// One sequence for the model.
struct Window {
  std::size_t index = 0;  // of its text in the input
  std::size_t first =
      0;  // the index, among the tokens of the text that was split, of its first token
  text::Encoding encoding;

  std::size_t size() const { return encoding.size(); }
  // Positions of the first (0) or second (1) text's tokens, without special tokens.
  Range part(int number) const;
};

// The windows of texts [group.begin, group.end), in order. offsets: fill the encodings' byte offsets.
// InputError for a text that is too long, when the limits say so.
std::vector<Window> encode_windows(const text::Tokenizer& tokenizer, const std::vector<Text>& texts,
                                   Range group, const Limits& limits, const RunOptions& run,
                                   bool offsets);

// For the windows of one text, the tokens (indices in the text) whose results each provides: those it
// shows with the most context. part: the text that was split. Where two neighbours overlap, each has
// the half nearer to its middle, so that the ranges are contiguous.
std::vector<Range> own_tokens(std::span<const Window> windows, int part);

// The types of the tokens, for a model that has some.
inline std::span<const std::int32_t> types_read(const ModelConfig& config,
                                                const text::Encoding& encoding) {
  if (config.type_vocab_size == 0) return {};
  return encoding.types;
}

// The windows [begin, end) of each text.
std::vector<Range> groups_of(const std::vector<Window>& windows);

}  // namespace mbrt

#endif  // MBRT_TASKS_WINDOWS_H_
