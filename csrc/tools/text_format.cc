// How results look to people.
#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include "tasks/white_space.h"
#include "tools/streams.h"

namespace mbrt::tools {
namespace {

bool continues_a_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

bool is_number(const std::string& cell) {
  if (cell.empty() || cell == "-") return true;
  return std::all_of(cell.begin(), cell.end(),
                     [](char c) { return (c >= '0' && c <= '9') || c == ',' || c == '.'; });
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string line;
  bool between = false;
  while (!text.empty()) {
    if (const std::size_t space = space_at_start(text)) {
      between = !line.empty();
      text.remove_prefix(space);
      continue;
    }
    if (between) line += ' ';
    between = false;
    line += text.front();
    text.remove_prefix(1);
  }
  return line;
}

std::size_t characters(std::string_view text) {
  return text.size() -
         static_cast<std::size_t>(std::count_if(text.begin(), text.end(), continues_a_character));
}

std::size_t CharacterCounter::at(std::size_t byte) {
  if (byte < byte_) byte_ = characters_ = 0;
  characters_ += characters(text_.substr(byte_, byte - byte_));
  byte_ = byte;
  return characters_;
}

std::string padded(std::string_view text, std::size_t width) {
  const std::size_t count = characters(text);
  return std::string(text) + std::string(count < width ? width - count : 0, ' ');
}

std::string formatted(const char* format, ...) {
  char text[256];
  va_list values;
  va_start(values, format);
  const int length = std::vsnprintf(text, sizeof(text), format, values);
  va_end(values);
  return std::string(
      text, std::min<std::size_t>(static_cast<std::size_t>(std::max(length, 0)), sizeof(text) - 1));
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::string text;
  const std::size_t columns = rows.front().size();
  std::vector<std::size_t> widths(columns);
  std::vector<bool> to_right(columns, rows.size() > 1);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t i = 0; i < columns; ++i) {
      widths[i] = std::max(widths[i], characters(rows[r][i]));
      if (r > 0 && !is_number(rows[r][i])) to_right[i] = false;
    }
  }
  for (const std::vector<std::string>& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < columns; ++i) {
      const std::string space(widths[i] - characters(row[i]), ' ');
      line += (i > 0 ? "  " : "") + (to_right[i] ? space + row[i] : row[i] + space);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace mbrt::tools
