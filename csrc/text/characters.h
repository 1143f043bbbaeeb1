// Characters (code points) and bytes of UTF-8 text.
#ifndef MBRT_TEXT_CHARACTERS_H_
#define MBRT_TEXT_CHARACTERS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace mbrt::text {

// The number of characters.
std::size_t count_characters(std::string_view text);

// The byte offset of each character, then the number of bytes.
std::vector<std::uint32_t> character_starts(std::string_view text);

// Without white space at its end, or at both ends, as Python's str.rstrip and str.strip have it.
std::string_view without_space_at_end(std::string_view text);
std::string_view trimmed(std::string_view text);

// Byte offsets to character offsets; fast for ascending offsets.
class CharacterCounter {
 public:
  explicit CharacterCounter(std::string_view text) : text_(text) {}
  std::size_t at(std::size_t byte);

 private:
  std::string_view text_;
  std::size_t byte_ = 0;
  std::size_t characters_ = 0;
};

}  // namespace mbrt::text

#endif  // MBRT_TEXT_CHARACTERS_H_
