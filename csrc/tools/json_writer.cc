#include "tools/json_writer.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/error.h"

namespace mbrt::tools {
namespace {

void check_finite(double value) {
  if (std::isfinite(value)) return;
  throw Error("a result is not a finite number, so it cannot be written as JSON");
}

// d.ddde[+-]dd, as printf writes it, in the layout of Python's repr.
std::string laid_out(const char* scientific) {
  std::string text = scientific;
  const std::size_t e = text.find('e');
  const int exponent = std::atoi(text.c_str() + e + 1);
  std::string sign, digits;
  for (const char c : text.substr(0, e)) {
    if (c == '-') sign = "-";
    if (c >= '0' && c <= '9') digits += c;
  }
  while (digits.size() > 1 && digits.back() == '0') digits.pop_back();

  constexpr int kSmallest = -4, kLargest = 15;
  const auto count = static_cast<int>(digits.size());
  if (exponent < kSmallest || exponent > kLargest) {
    char power[16];
    std::snprintf(power, sizeof(power), "e%c%02d", exponent < 0 ? '-' : '+', std::abs(exponent));
    return sign + digits.substr(0, 1) + (count > 1 ? "." + digits.substr(1) : "") + power;
  }
  if (exponent < 0) {
    return sign + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  }
  if (count <= exponent + 1) {
    return sign + digits + std::string(static_cast<std::size_t>(exponent + 1 - count), '0') + ".0";
  }
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  return sign + digits.substr(0, whole) + "." + digits.substr(whole);
}

}  // namespace

std::string number_text(double value) {
  check_finite(value);
  // 15 digits are always told apart, 17 always enough: the first that reads back is the shortest.
  char text[40];
  for (int digits = 15; digits <= 17; ++digits) {
    std::snprintf(text, sizeof(text), "%.*e", digits - 1, value);
    if (std::strtod(text, nullptr) == value) break;
  }
  return laid_out(text);
}

JsonWriter& JsonWriter::open(char bracket) {
  before_value();
  text_ += bracket;
  begun_.push_back(false);
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  const bool had_elements = begun_.back();
  begun_.pop_back();
  if (had_elements && indented_) new_line();
  text_ += bracket;
  return *this;
}

void JsonWriter::before_value() {
  if (after_key_ || begun_.empty()) {
    after_key_ = false;
    return;
  }
  if (begun_.back()) text_ += indented_ ? "," : ", ";
  begun_.back() = true;
  if (indented_) new_line();
}

void JsonWriter::new_line() {
  text_ += '\n';
  text_.append(2 * begun_.size(), ' ');
}

JsonWriter& JsonWriter::key(std::string_view name) {
  before_value();
  append_quoted(name);
  text_ += ": ";
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view text) {
  before_value();
  append_quoted(text);
  return *this;
}

void JsonWriter::append_quoted(std::string_view text) {
  text_ += '"';
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      text_ += '\\';
      text_ += c;
    } else if (code >= 0x20) {
      text_ += c;
    } else {
      constexpr std::string_view kShort = "\b\f\n\r\t", kLetters = "bfnrt";
      const std::size_t known = kShort.find(c);
      char escape[8];
      if (known == std::string_view::npos) {
        std::snprintf(escape, sizeof(escape), "\\u%04x", code);
      } else {
        std::snprintf(escape, sizeof(escape), "\\%c", kLetters[known]);
      }
      text_ += escape;
    }
  }
  text_ += '"';
}

JsonWriter& JsonWriter::integer(std::uint64_t value) {
  before_value();
  text_ += std::to_string(value);
  return *this;
}

JsonWriter& JsonWriter::number(double value) {
  before_value();
  text_ += number_text(value);
  return *this;
}

JsonWriter& JsonWriter::nine_digits(double value) {
  check_finite(value);
  before_value();
  char text[40];
  std::snprintf(text, sizeof(text), "%.8e", value);
  text_ += laid_out(text);
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  before_value();
  text_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::null() {
  before_value();
  text_ += "null";
  return *this;
}

}  // namespace mbrt::tools
