#include "text/unicode.h"

namespace mbrt::text {
namespace {

#include "text/unicode_tables.inc"

// A value that was cut into three stages: blocks that are alike are stored once.
template <typename High, typename Middle, typename Low>
auto stage(char32_t c, const int (&shifts)[2], const High* high, const Middle* middle,
           const Low* low) {
  const char32_t middle_mask = (char32_t{1} << shifts[0]) - 1;
  const char32_t low_mask = (char32_t{1} << shifts[1]) - 1;
  const std::size_t row = high[c >> (shifts[0] + shifts[1])];
  const std::size_t block = middle[row << shifts[0] | (c >> shifts[1] & middle_mask)];
  return low[block << shifts[1] | (c & low_mask)];
}

// Hangul syllables are lead x vowel x tail in order (The Unicode Standard, 3.12).
constexpr char32_t kHangul = 0xAC00;
constexpr char32_t kHangulCount = 11172;
constexpr char32_t kTails = 28;
constexpr char32_t kVowelsTimesTails = 588;

Decomposition decompose_hangul(char32_t syllable) {
  const char32_t lead = syllable / kVowelsTimesTails;
  const char32_t vowel = syllable % kVowelsTimesTails / kTails;
  const char32_t tail = syllable % kTails;
  return {{0x1100 + lead, 0x1161 + vowel, 0x11A7 + tail}, tail == 0 ? 2U : 3U};
}

// What may follow the first byte: how many bytes, and the bounds of the first of them, which keep
// out overlong forms, surrogates and what lies past U+10FFFF.
struct Lead {
  std::uint32_t following;
  unsigned char low;
  unsigned char high;
};

Lead lead_of(unsigned char byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {1, 0x80, 0xBF};
  if (byte == 0xE0) return {2, 0xA0, 0xBF};
  if (byte == 0xED) return {2, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {2, 0x80, 0xBF};
  if (byte == 0xF0) return {3, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {3, 0x80, 0xBF};
  if (byte == 0xF4) return {3, 0x80, 0x8F};
  return {0, 0, 0};
}

}  // namespace

const Properties& properties(char32_t c) {
  return kRecords[stage(c, kRecordShifts, kRecordHigh, kRecordMiddle, kRecordLow)];
}

Decomposition decompose(char32_t c) {
  if (c - kHangul < kHangulCount) return decompose_hangul(c - kHangul);
  const std::uint16_t place =
      stage(c, kDecompositionShifts, kDecompositionHigh, kDecompositionMiddle, kDecompositionLow);
  const std::uint16_t* const units = kDecompositionUnits + (place >> 3);
  const std::size_t count = place & 7;
  Decomposition out{{}, 0};
  for (std::size_t i = 0; i < count; ++i) {  // UTF-16
    char32_t part = units[i];
    if (part >= 0xD800 && part <= 0xDBFF)
      part = 0x10000 + ((part - 0xD800) << 10) + (units[++i] - 0xDC00U);
    out.parts[out.size++] = part;
  }
  return out;
}

Decoded decode_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {first, 1};
  const Lead lead = lead_of(first);
  if (lead.following == 0) return {kReplacement, 1};
  char32_t code = first & (0x3FU >> lead.following);
  for (std::uint32_t i = 1; i <= lead.following; ++i) {
    const unsigned char low = i == 1 ? lead.low : 0x80;
    const unsigned char high = i == 1 ? lead.high : 0xBF;
    if (i == text.size() || byte(i) < low || byte(i) > high) return {kReplacement, i};
    code = code << 6 | (byte(i) & 0x3FU);
  }
  return {code, lead.following + 1};
}

std::size_t encode_utf8(char32_t c, char* out) {
  const std::size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  constexpr char32_t kFirst[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (std::size_t i = length - 1; i > 0; --i, c >>= 6) out[i] = static_cast<char>(0x80 | (c & 63));
  out[0] = static_cast<char>(kFirst[length] | c);
  return length;
}

}  // namespace mbrt::text
