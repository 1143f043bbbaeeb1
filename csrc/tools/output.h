// Standard output, and how results look to people.
#ifndef MBRT_TOOLS_OUTPUT_H_
#define MBRT_TOOLS_OUTPUT_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mbrt::tools {

// The reader of standard output (`| head`) has closed it.
struct BrokenPipe {};

// Write to standard output. BrokenPipe, or an Error.
void print(std::string_view text);
void flush();

// printf into a string of at most 255 bytes.
[[gnu::format(printf, 1, 2)]] std::string formatted(const char* format, ...);

// The text without line breaks, tabs and repeated spaces.
std::string one_line(std::string_view text);

// Code points in UTF-8 text.
std::size_t characters(std::string_view text);

// Converts byte offsets into characters; fast when they ascend.
class CharacterCounter {
 public:
  explicit CharacterCounter(std::string_view text) : text_(text) {}
  std::size_t at(std::size_t byte);

 private:
  std::string_view text_;
  std::size_t byte_ = 0;
  std::size_t characters_ = 0;
};

// The text and spaces up to `width` characters.
std::string padded(std::string_view text, std::size_t width);

// Columns: the first aligned to the left, the others to the right.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace mbrt::tools

#endif  // MBRT_TOOLS_OUTPUT_H_
