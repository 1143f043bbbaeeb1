#include "model/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#if !defined(__cpp_lib_to_chars)
#include <clocale>
#include <cstdlib>
#endif

#include "base/error.h"
#include "model/message.h"

namespace mbrt {
namespace {

// Bytes that a string may contain as they are: all but the quote, the backslash, control characters
// and non-ASCII.
constexpr std::array<bool, 256> plain_bytes() {
  std::array<bool, 256> plain{};
  for (std::size_t i = 0x20; i < 0x80; ++i) plain[i] = i != '"' && i != '\\';
  return plain;
}
constexpr std::array<bool, 256> kPlain = plain_bytes();

// The meaning of the character after a backslash; 0 for invalid ones and for u.
constexpr std::array<char, 256> escapes() {
  std::array<char, 256> meaning{};
  meaning['"'] = '"', meaning['\\'] = '\\', meaning['/'] = '/', meaning['b'] = '\b';
  meaning['f'] = '\f', meaning['n'] = '\n', meaning['r'] = '\r', meaning['t'] = '\t';
  return meaning;
}
constexpr std::array<char, 256> kEscapes = escapes();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t encode_utf8(std::uint32_t c, char* out) {
  const auto put = [&](std::size_t i, std::uint32_t byte) { out[i] = static_cast<char>(byte); };
  const std::size_t length = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (std::size_t i = length - 1; i > 0; --i, c >>= 6) put(i, 0x80 | (c & 63));
  constexpr std::uint32_t kFirst[] = {0, 0, 0xC0, 0xE0, 0xF0};
  put(0, kFirst[length] | c);
  return length;
}

}  // namespace

void JsonReader::fail(std::string_view what) const {
  std::string message(name_);
  message += ": ";
  message += what;
  message += " (byte " + thousands(position_);
  if (const std::string key = last_key(); !key.empty()) message += ", key " + quoted(key);
  throw ModelFormatError(message + ")." + kConvertAgain);
}

// Empty when there was none.
std::string JsonReader::last_key() const {
  std::string key;
  if (key_begin_ == 0) return key;
  JsonReader reader = *this;
  reader.position_ = key_begin_;
  reader.append_string(&key);
  return key;
}

void JsonReader::skip_space() {
  while (peek() == ' ' || peek() == '\n' || peek() == '\r' || peek() == '\t') ++position_;
}

void JsonReader::expect(char c, const char* what) {
  skip_space();
  if (peek() != c) fail(std::string("expected ") + what);
  ++position_;
}

void JsonReader::enter(char open, const char* what) {
  expect(open, what);
  if (depth_ == kMaxDepth) fail("nesting too deep; at most 8 levels are allowed");
  begun_[depth_++] = false;
}

void JsonReader::begin_object() { enter('{', "an object"); }
void JsonReader::begin_array() { enter('[', "an array"); }

// Consumes the comma before every element but the first, or the closing bracket.
bool JsonReader::another(char close, const char* what) {
  skip_space();
  if (peek() == close) {
    ++position_;
    --depth_;
    return false;
  }
  if (begun_[depth_ - 1]) expect(',', what);
  begun_[depth_ - 1] = true;
  return true;
}

bool JsonReader::next_key(std::string* key) {
  key->clear();
  return append_key(key);
}

bool JsonReader::append_key(std::string* out) {
  if (!another('}', "a comma or a closing brace")) return false;
  expect('"', "a key between double quotes");
  const std::size_t begin = position_;
  append_string(out);
  expect(':', "a colon after the key");
  key_begin_ = begin;
  return true;
}

bool JsonReader::next_element() { return another(']', "a comma or a closing bracket"); }

std::string JsonReader::string() {
  expect('"', "a string");
  std::string out;
  append_string(&out);
  return out;
}

// Reads from after the opening quote to after the closing one. A vocabulary is a million bytes, every
// seventh an escape, so bytes are copied into a chunk while they are tested. Tried and dropped: an
// append for each run (twice the instructions); eight bytes at a time (runs are too short: 15 %
// more).
void JsonReader::append_string(std::string* out) {
  constexpr std::size_t kMaxCharacter = 4;  // a UTF-8 character
  std::array<char, 4096> chunk;
  std::size_t used = 0;
  while (true) {
    if (used + kMaxCharacter >= chunk.size()) {
      out->append(chunk.data(), used);
      used = 0;
    }
    const char* const from = text_.data() + position_;
    char* const to = chunk.data() + used;
    const std::size_t run = std::min(chunk.size() - kMaxCharacter - used, text_.size() - position_);
    std::size_t i = 0;
    for (; i < run && kPlain[static_cast<unsigned char>(from[i])]; ++i) to[i] = from[i];
    position_ += i;
    used += i;
    if (position_ == text_.size()) fail("unterminated string");
    if (i == run) continue;
    const char c = text_[position_];
    if (c == '"') break;
    used += c == '\\' ? escape(chunk.data() + used) : multibyte(chunk.data() + used);
  }
  out->append(chunk.data(), used);
  ++position_;
}

// Copies one non-ASCII character to `out`; returns its length.
std::size_t JsonReader::multibyte(char* out) {
  const std::size_t length = utf8_length(text_.substr(position_));
  if (length == 0) fail("string is not UTF-8");
  if (length == 1) fail("control character in a string");
  std::memcpy(out, text_.data() + position_, length);
  position_ += length;
  return length;
}

// Writes the meaning of an escape to `out`; returns its length.
std::size_t JsonReader::escape(char* out) {
  ++position_;
  const char c = peek();
  const char meaning = kEscapes[static_cast<unsigned char>(c)];
  if (meaning == '\0' && c != 'u') fail("unknown escape in a string");
  ++position_;
  if (meaning != '\0') {
    *out = meaning;
    return 1;
  }
  std::uint32_t code = hex4();
  if (code >= 0xDC00 && code <= 0xDFFF) fail("low surrogate without a high surrogate");
  if (code >= 0xD800 && code <= 0xDBFF) {
    if (text_.substr(position_, 2) != "\\u") fail("high surrogate without a low surrogate");
    position_ += 2;
    const std::uint32_t low = hex4();
    if (low < 0xDC00 || low > 0xDFFF) fail("high surrogate without a low surrogate");
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
  }
  return encode_utf8(code, out);
}

unsigned JsonReader::hex4() {
  unsigned value = 0;
  for (int i = 0; i < 4; ++i, ++position_) {
    const char c = peek();
    if (is_digit(c)) {
      value = value * 16 + static_cast<unsigned>(c - '0');
    } else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')) {
      value = value * 16 + static_cast<unsigned>((c | 0x20) - 'a' + 10);
    } else {
      fail("expected four hexadecimal digits");
    }
  }
  return value;
}

bool JsonReader::digits() {
  const std::size_t begin = position_;
  while (is_digit(peek())) ++position_;
  return position_ != begin;
}

std::uint64_t JsonReader::unsigned_integer() {
  skip_space();
  const std::string_view token = number_text();
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t value = 0;
  for (const char c : token) {
    if (!is_digit(c)) fail("expected a whole number, not negative, without fraction or exponent");
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value >= kMax / 10 && (value > kMax / 10 || digit > kMax % 10)) {
      fail("number too large; expected less than 2^64");
    }
    value = value * 10 + digit;
  }
  return value;
}

// The grammar is checked here, so the library's conversion gets only valid numbers. strtod is the
// fallback for libraries without from_chars for doubles; it expects the decimal point of the locale,
// and gives 0 where from_chars reports that a number is too small. Streams would add 130 KB of locales.
double JsonReader::number() {
  skip_space();
  const std::string_view text = number_text();
  double value = 0;
#if defined(__cpp_lib_to_chars)
  const bool read =
      std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc();
#else
  std::string copy(text);
  const std::size_t point = copy.find('.');
  if (point != std::string::npos) copy.replace(point, 1, std::localeconv()->decimal_point);
  value = std::strtod(copy.c_str(), nullptr);
  const std::string_view digits = text.substr(0, text.find_first_of("eE"));
  const bool read = value != 0 || digits.find_first_of("123456789") == std::string_view::npos;
#endif
  if (!read || !std::isfinite(value)) fail("number out of the range of a double");
  return value;
}

std::string_view JsonReader::number_text() {
  constexpr std::size_t kMaxLength = 64;
  const std::size_t begin = position_;
  if (peek() == '-') ++position_;
  const std::size_t integer = position_;
  if (!digits()) fail("expected a number");
  if (text_[integer] == '0' && position_ - integer > 1) fail("number with a leading zero");
  if (peek() == '.') {
    ++position_;
    if (!digits()) fail("expected digits after the decimal point");
  }
  if (peek() == 'e' || peek() == 'E') {
    ++position_;
    if (peek() == '+' || peek() == '-') ++position_;
    if (!digits()) fail("expected digits in the exponent");
  }
  if (position_ - begin > kMaxLength) fail("number longer than 64 characters");
  return text_.substr(begin, position_ - begin);
}

bool JsonReader::boolean() {
  skip_space();
  for (const std::string_view word : {std::string_view("true"), std::string_view("false")}) {
    if (text_.substr(position_, word.size()) != word) continue;
    position_ += word.size();
    return word == "true";
  }
  fail("expected true or false");
}

bool JsonReader::null() {
  constexpr std::string_view kNull = "null";
  skip_space();
  if (text_.substr(position_, kNull.size()) != kNull) return false;
  position_ += kNull.size();
  return true;
}

void JsonReader::skip() {
  switch (peek_value()) {
    case '{':
      begin_object();
      for (std::string key; next_key(&key);) skip();
      return;
    case '[':
      begin_array();
      while (next_element()) skip();
      return;
    case '"':
      string();
      return;
    case 't':
    case 'f':
      boolean();
      return;
    case 'n':
      if (!null()) fail("expected a value");
      return;
    default:
      number_text();
  }
}

void JsonReader::end() {
  skip_space();
  if (position_ != text_.size()) fail("data after the end of the value");
}

}  // namespace mbrt
