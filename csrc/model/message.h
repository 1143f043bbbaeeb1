// Parts of error messages. Text from an untrusted file is escaped and cut, so that it cannot flood or
// corrupt a terminal or a log.
#ifndef MBRT_MODEL_MESSAGE_H_
#define MBRT_MODEL_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mbrt {

// The last line of every error about a damaged file.
inline constexpr char kConvertAgain[] =
    "\nThe file is damaged; convert it again with `mbrt convert`.";

// The text as valid UTF-8 without control characters; other bytes as \xNN.
std::string printable(std::string_view text);

// The same between double quotes, cut after 80 bytes.
std::string quoted(std::string_view text);

// 1234567 as "1,234,567".
std::string thousands(std::uint64_t number);

// {30, 512} as "30 x 512"; no dimensions as "scalar".
std::string shape_text(const std::vector<std::uint64_t>& shape);

// The length in bytes of the UTF-8 character at the start of text: 1 to 4, or 0 when it is invalid
// (as overlong forms, surrogates and values above U+10FFFF are).
std::size_t utf8_length(std::string_view text);

}  // namespace mbrt

#endif  // MBRT_MODEL_MESSAGE_H_
