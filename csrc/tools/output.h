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

// The text and spaces up to `width` characters.
std::string padded(std::string_view text, std::size_t width);

// Columns: the first aligned to the left, the others to the right.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace mbrt::tools

#endif  // MBRT_TOOLS_OUTPUT_H_
