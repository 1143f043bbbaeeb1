#include "tasks/windows.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.h"
#include "model/message.h"

namespace mbrt {
namespace {

using text::Encoding;

// What a cut makes of one text: windows, each with the number of its first token.
using Pieces = std::vector<std::pair<std::size_t, Encoding>>;

// Keeps the beginning: the shorter of a pair up to half of the room, the longer what is left.
Pieces truncated(const TextModel& model, const Encoding& first,
                 const std::optional<Encoding>& second, std::size_t room) {
  if (!second) return {{0, model.tokenizer().assemble(first.slice(0, room))}};
  const text::PairLengths keep = text::longest_first(first.size(), second->size(), room);
  const Encoding kept = second->slice(0, keep.second);
  return {{0, model.tokenizer().assemble(first.slice(0, keep.first), &kept)}};
}

// Windows over the last of the texts, each after the whole first of a pair.
Pieces strided(const TextModel& model, const Encoding& first, const std::optional<Encoding>& second,
               std::size_t room, std::size_t stride, const std::string& name) {
  const std::size_t whole = second ? first.size() : 0;
  if (whole >= room) {
    throw InputError(name + ": its first text has " + thousands(whole) +
                     " tokens, which leaves a window no room for the second. Use a larger "
                     "max_length or a shorter first text.");
  }
  const std::size_t length = room - whole;
  const std::size_t step = length - std::min(stride, length / 2);
  const Encoding& moving = second ? *second : first;
  const std::size_t tokens = moving.size();
  Pieces pieces;
  for (std::size_t begin = 0;; begin += step) {
    const std::size_t end = std::min(begin + length, tokens);
    const Encoding piece = moving.slice(begin, end - begin);
    pieces.emplace_back(begin, second ? model.tokenizer().assemble(first, &piece)
                                      : model.tokenizer().assemble(piece));
    if (end == tokens) return pieces;
  }
}

// What the policy makes of a text that is too long.
Pieces cut(const TextModel& model, const Text& text, const Limits& limits, std::size_t tokens,
           const std::string& name, bool offsets) {
  if (limits.on_overflow == OnOverflow::kError) {
    throw InputError(name + " has " + thousands(tokens) +
                     " tokens with its special tokens, more than the " +
                     thousands(limits.max_length) +
                     " allowed. Shorten it, or choose on-overflow \"truncate\" (keep the "
                     "beginning) or \"stride\" (read it in windows).");
  }
  const std::size_t special = model.tokenizer().special_count(text.second.has_value());
  if (limits.max_length <= special) {
    throw InputError("max_length " + thousands(limits.max_length) + " leaves " + name +
                     " no room beside its special tokens.");
  }
  const std::size_t room = limits.max_length - special;
  Encoding first;
  model.tokenizer().encode(text.first, offsets, first);
  std::optional<Encoding> second;
  if (text.second) model.tokenizer().encode(*text.second, offsets, second.emplace());
  return limits.on_overflow == OnOverflow::kTruncate
             ? truncated(model, first, second, room)
             : strided(model, first, second, room, limits.stride, name);
}

}  // namespace

Range Window::part(int number) const {
  const auto& owners = encoding.part;
  const auto begins = std::find(owners.begin(), owners.end(), static_cast<std::int8_t>(number));
  const auto count = std::count(begins, owners.end(), static_cast<std::int8_t>(number));
  if (count == 0) return {0, 0};
  const auto begin = static_cast<std::size_t>(begins - owners.begin());
  return {begin, begin + static_cast<std::size_t>(count)};
}

std::vector<Window> encode_windows(const TextModel& model, const std::vector<Text>& texts,
                                   Range group, const Limits& limits, std::size_t first_index,
                                   bool offsets) {
  std::vector<Window> windows;
  windows.reserve(group.size());
  for (std::size_t index = group.begin; index < group.end; ++index) {
    const Text& text = texts[index];
    Encoding whole;
    model.tokenizer().encode(text.first, text.second, 0, offsets, whole);
    const std::size_t tokens = whole.size();
    if (tokens <= limits.max_length) {
      windows.push_back({index, 0, std::move(whole)});
      continue;
    }
    const std::string name = "input " + std::to_string(first_index + index);
    for (auto& [first, piece] : cut(model, text, limits, tokens, name, offsets)) {
      windows.push_back({index, first, std::move(piece)});
    }
  }
  return windows;
}

std::vector<Range> own_tokens(const Window* windows, const std::vector<std::size_t>& counts) {
  std::vector<Range> owned;
  std::size_t begin = windows[0].first;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const std::size_t last = windows[i].first + counts[i];
    const std::size_t end = i + 1 < counts.size() ? (windows[i + 1].first + last) / 2 : last;
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
