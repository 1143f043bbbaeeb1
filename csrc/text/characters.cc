#include "text/characters.h"

#include <algorithm>

namespace mbrt::text {
namespace {

bool starts_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }

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

std::size_t CharacterCounter::at(std::size_t byte) {
  if (byte < byte_) byte_ = characters_ = 0;
  characters_ += count_characters(text_.substr(byte_, byte - byte_));
  byte_ = byte;
  return characters_;
}

}  // namespace mbrt::text
