// What the tokenizer must know of code points: the tables of unicode_tables.inc, as the `tokenizers`
// library has them (docs/tokenizer.md names the versions of Unicode), and the decoding of UTF-8.
#ifndef MBRT_TEXT_UNICODE_H_
#define MBRT_TEXT_UNICODE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mbrt::text {

// Bits of Properties::flags; make_unicode_tables.py writes them.
enum : std::uint8_t {
  kRemoved = 1,      // the clean-up drops it: controls, U+FFFD
  kSpace = 2,        // white space
  kPunctuation = 4,  // a word of its own
  kMark = 8,         // an accent: nonspacing, and not to be decomposed
  kWord = 16,        // what a single_word token may not stand beside
  kChinese = 32,     // an ideograph: a word of its own
  kDecomposes = 64,  // decompose() is more than the code point itself
};

struct Properties {
  std::uint8_t flags;
  std::uint8_t combining;  // canonical combining class; 0: a starter
  std::int32_t lower;      // what is added for lower case
};

// c: any value up to U+10FFFF.
const Properties& properties(char32_t c);

// The full canonical decomposition of a code point that has kDecomposes.
struct Decomposition {
  std::array<char32_t, 4> parts;
  std::size_t size;
};
Decomposition decompose(char32_t c);

// The only code point whose lower case is two: LATIN CAPITAL LETTER I WITH DOT ABOVE; they are i and
// COMBINING DOT ABOVE.
constexpr char32_t kDottedI = 0x130;
constexpr char32_t kDotAbove = 0x307;

constexpr char32_t kReplacement = 0xFFFD;

struct Decoded {
  char32_t code;
  std::uint32_t length;  // bytes
};

// The first code point of a text that is not empty; U+FFFD for a maximal invalid subsequence.
Decoded decode_utf8(std::string_view text);

// Writes 1 to 4 bytes; returns how many.
std::size_t encode_utf8(char32_t c, char* out);

constexpr bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

}  // namespace mbrt::text

#endif  // MBRT_TEXT_UNICODE_H_
