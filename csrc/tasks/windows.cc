#include "tasks/windows.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.h"
#include "model/message.h"

namespace mbrt {
namespace {

using text::Encoding;

Range part_of(const Encoding& encoding, int number) {
  const auto& parts = encoding.part;
  const auto value = static_cast<std::int8_t>(number);
  const auto begin = std::find(parts.begin(), parts.end(), value);
  const auto count = static_cast<std::size_t>(std::count(begin, parts.end(), value));
  if (count == 0) return {0, 0};
  const auto first = static_cast<std::size_t>(begin - parts.begin());
  return {first, first + count};
}

// A text that is too long: its complete encoding, and what its parts may keep of it.
struct LongText {
  const Encoding& whole;
  bool is_pair;
  bool keeps_second;
  Range first, second;   // the parts in the encoding
  std::size_t capacity;  // tokens of a window without special tokens
  std::string name;      // in messages
};

// The encoding with only tokens [kept.begin, kept.end) of each part; special tokens stay.
Encoding selected(const LongText& text, Range kept_first, Range kept_second) {
  struct Kept {
    Range part, tokens;
  } parts[] = {{text.first, kept_first}, {text.second, kept_second}};
  if (text.second.begin < text.first.begin) std::swap(parts[0], parts[1]);
  Encoding out;
  std::size_t done = 0;
  for (const auto& [part, tokens] : parts) {
    if (part.size() == 0) continue;
    out.append(text.whole, done, part.begin);
    out.append(text.whole, part.begin + tokens.begin, part.begin + tokens.end);
    done = part.end;
  }
  out.append(text.whole, done, text.whole.size());
  return out;
}

// The tokens of a window that are left beside the text of a pair that stays whole.
std::size_t capacity_beside_whole(const LongText& text) {
  if (!text.is_pair) return text.capacity;
  const std::size_t fixed = (text.keeps_second ? text.second : text.first).size();
  if (fixed < text.capacity) return text.capacity - fixed;
  const char* const whole = text.keeps_second ? "second" : "first";
  throw InputError(text.name + ": its " + whole + " text has " + thousands(fixed) +
                   " tokens, which leaves no tokens of a window for the " +
                   (text.keeps_second ? "first" : "second") +
                   ". Use a larger max_length or a shorter " + whole + " text.");
}

// Keeps the beginning: the shorter text of a pair keeps up to half of the capacity, the longer the rest.
Encoding truncated(const LongText& text) {
  if (!text.is_pair) return selected(text, {0, text.capacity}, {});
  if (text.keeps_second) {
    return selected(text, {0, capacity_beside_whole(text)}, {0, text.second.size()});
  }
  const std::size_t first = text.first.size(), second = text.second.size();
  const std::size_t shorter = std::min({first, second, text.capacity / 2});
  const std::size_t longer = text.capacity - shorter;
  return first <= second ? selected(text, {0, shorter}, {0, longer})
                         : selected(text, {0, longer}, {0, shorter});
}

// Windows over one text, each with the whole other text of a pair.
void add_strided(const LongText& text, const Limits& limits, std::size_t index,
                 std::vector<Window>* windows) {
  const bool over_first = !text.is_pair || text.keeps_second;
  const std::size_t length = capacity_beside_whole(text);
  const std::size_t least = (length + limits.min_new - 1) / limits.min_new;
  const std::size_t step = std::max(length - std::min(limits.stride, length), least);
  const std::size_t tokens = (over_first ? text.first : text.second).size();
  for (std::size_t begin = 0;; begin += step) {
    const Range range{begin, std::min(begin + length, tokens)};
    windows->push_back({index, begin,
                        over_first ? selected(text, range, {0, text.second.size()})
                                   : selected(text, {0, text.first.size()}, range)});
    if (range.end == tokens) return;
  }
}

void add_long(const LongText& text, const Limits& limits, std::size_t index,
              std::vector<Window>* windows) {
  if (limits.on_overflow == OnOverflow::kTruncate) {
    windows->push_back({index, 0, truncated(text)});
  } else {
    add_strided(text, limits, index, windows);
  }
}

LongText long_text(const Encoding& whole, bool is_pair, const Limits& limits, std::string name) {
  if (limits.on_overflow == OnOverflow::kError) {
    throw InputError(name + " has " + thousands(whole.size()) +
                     " tokens with its special tokens, more than the " +
                     thousands(limits.max_length) +
                     " allowed. Shorten it, or choose on_overflow \"truncate\" (keep the "
                     "beginning) or \"stride\" (read it in windows).");
  }
  const Range first = part_of(whole, 0), second = part_of(whole, 1);
  const std::size_t special = whole.size() - first.size() - second.size();
  if (limits.max_length <= special) {
    throw InputError("max_length " + thousands(limits.max_length) + " leaves " + name +
                     " no tokens beside its special tokens.");
  }
  return {.whole = whole,
          .is_pair = is_pair,
          .keeps_second = limits.keeps_second,
          .first = first,
          .second = second,
          .capacity = limits.max_length - special,
          .name = std::move(name)};
}

}  // namespace

Range Window::part(int number) const { return part_of(encoding, number); }

std::vector<Window> encode_windows(const text::Tokenizer& tokenizer, const std::vector<Text>& texts,
                                   Range group, const Limits& limits, const RunOptions& run,
                                   bool offsets) {
  throw_if_stopped(run.control);
  std::vector<Encoding> encodings(group.size());
  tokenizer.encode_batch(
      texts.data() + group.begin, group.size(),
      {.offsets = offsets, .max_threads = run.thread_count(), .control = run.control},
      encodings.data());
  std::vector<Window> windows;
  windows.reserve(group.size());
  for (std::size_t index = group.begin; index < group.end; ++index) {
    Encoding& whole = encodings[index - group.begin];
    if (whole.size() <= limits.max_length) {
      windows.push_back({index, 0, std::move(whole)});
      continue;
    }
    const std::size_t number = run.input_number(index);
    const LongText text = long_text(whole, texts[index].second.has_value(), limits,
                                    "input " + std::to_string(number));
    add_long(text, limits, index, &windows);
    if (limits.on_overflow == OnOverflow::kTruncate && run.truncated) {
      run.truncated(number, whole.size());
    }
    whole = {};  // a text of megabytes has its tokens in memory twice, not for longer than needed
  }
  return windows;
}

std::vector<Range> own_tokens(std::span<const Window> windows, int part) {
  std::vector<Range> owned;
  std::size_t begin = windows[0].first;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const std::size_t last = windows[i].first + windows[i].part(part).size();
    const std::size_t end = i + 1 < windows.size() ? (windows[i + 1].first + last) / 2 : last;
    owned.push_back({begin, end});
    begin = end;
  }
  return owned;
}

std::vector<Range> groups_of(const std::vector<Window>& windows) {
  std::vector<Range> groups;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    if (i == 0 || windows[i].index != windows[i - 1].index) groups.push_back({i, i});
    groups.back().end = i + 1;
  }
  return groups;
}

}  // namespace mbrt
