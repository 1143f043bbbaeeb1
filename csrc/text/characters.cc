#include "text/characters.h"

#include <algorithm>

#include "text/unicode.h"

namespace mbrt::text {
namespace {

bool starts_character(char c) { return !is_continuation(c); }

// White space as Python's str.isspace has it: Unicode's, and four separators.
bool is_space(char32_t c) {
  return (properties(c).flags & kSpace) != 0 || (c >= 0x1C && c <= 0x1F);
}

}  // namespace

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_character));
}

std::vector<std::uint32_t> character_starts(std::string_view text) {
  std::vector<std::uint32_t> starts;
  starts.reserve(text.size() + 1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (starts_character(text[i])) starts.push_back(static_cast<std::uint32_t>(i));
  }
  starts.push_back(static_cast<std::uint32_t>(text.size()));
  return starts;
}

std::string_view without_space_at_end(std::string_view text) {
  while (!text.empty()) {
    std::size_t last = text.size() - 1;
    while (last > 0 && is_continuation(text[last])) --last;
    if (!is_space(decode_utf8(text.substr(last)).code)) break;
    text = text.substr(0, last);
  }
  return text;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty()) {
    const Decoded first = decode_utf8(text);
    if (!is_space(first.code)) break;
    text.remove_prefix(first.length);
  }
  return without_space_at_end(text);
}

std::size_t CharacterCounter::at(std::size_t byte) {
  if (byte < byte_) byte_ = characters_ = 0;
  characters_ += count_characters(text_.substr(byte_, byte - byte_));
  byte_ = byte;
  return characters_;
}

}  // namespace mbrt::text
