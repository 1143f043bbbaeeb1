#include "tools/output.h"

#include <algorithm>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "text/characters.h"

namespace mbrt::tools {
namespace {

void check_written(bool ok) {
  if (ok) return;
  if (errno == EPIPE) throw BrokenPipe{};
  throw Error(std::string("standard output: cannot write: ") + std::strerror(errno) + ".");
}

}  // namespace

void print(std::string_view text) {
  check_written(std::fwrite(text.data(), 1, text.size(), stdout) == text.size());
}

void flush() { check_written(std::fflush(stdout) == 0); }

std::string formatted(const char* format, ...) {
  char text[256];
  va_list values;
  va_start(values, format);
  std::vsnprintf(text, sizeof(text), format, values);
  va_end(values);
  return text;
}

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : text) {
    const bool is_space = c == ' ' || (c >= '\t' && c <= '\r');
    if (!is_space) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

std::string padded(std::string_view line, std::size_t width) {
  const std::size_t count = text::count_characters(line);
  return std::string(line) + std::string(width - std::min(count, width), ' ');
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text;
  for (const auto& row : rows) {
    text += padded(row[0], widths[0]);
    for (std::size_t i = 1; i < row.size(); ++i) {
      text += std::string(2 + widths[i] - row[i].size(), ' ') + row[i];
    }
    text += '\n';
  }
  return text;
}

}  // namespace mbrt::tools
