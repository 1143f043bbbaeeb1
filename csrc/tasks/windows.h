// From texts to the id sequences that the model runs: one a text, several windows for a text too
// long.
#ifndef MBRT_TASKS_WINDOWS_H_
#define MBRT_TASKS_WINDOWS_H_

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "tasks/text_model.h"

namespace mbrt {

// One input: a text, or a pair of texts, in UTF-8. What is not UTF-8 reads as U+FFFD.
struct Text {
  std::string_view first;
  std::optional<std::string_view> second;
};

enum class OnOverflow {
  kError,     // InputError
  kTruncate,  // keep the beginning; a pair loses from its longer text
  kStride,    // windows that share `stride` tokens; of a pair, over the second text
};

struct Limits {
  std::size_t max_length = 0;  // tokens of a sequence, special tokens included
  OnOverflow on_overflow = OnOverflow::kError;
  std::size_t stride = 64;  // at most half of a window is shared
};

// Consecutive numbers [begin, end).
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::size_t size() const { return end - begin; }
};

// One sequence for the model.
struct Window {
  std::size_t index = 0;  // its text's place in the input
  std::size_t first =
      0;  // number, among the tokens of the text that was cut, of the window's first
  text::Encoding encoding;

  std::size_t size() const { return encoding.size(); }
  // Positions of the first (0) or second (1) text's tokens, without special tokens.
  Range part(int number) const;
};

// The windows of texts [group.begin, group.end), in order. Messages give texts[0] the number
// first_index. offsets: fill the encodings' byte offsets (they cost time). InputError for a text
// that is too long, when the limits say so.
std::vector<Window> encode_windows(const TextModel& model, const std::vector<Text>& texts,
                                   Range group, const Limits& limits, std::size_t first_index,
                                   bool offsets);

// For the windows of one text, which tokens (numbers in the text) each answers for: those it sees
// with the most context. counts: tokens of the text in each window. Where two neighbours overlap,
// each takes the half nearer to its middle, so that the ranges follow one another without a gap.
std::vector<Range> own_tokens(const Window* windows, const std::vector<std::size_t>& counts);

// The windows of each text: windows [begin, end) belong together.
std::vector<Range> groups_of(const std::vector<Window>& windows);

}  // namespace mbrt

#endif  // MBRT_TASKS_WINDOWS_H_
