#include "tools/input.h"

#include <cstdio>
#include <utility>

#include "base/error.h"
#include "model/message.h"
#include "tools/output.h"

namespace mbrt::tools {
namespace {

void remove_byte_order_mark(std::string* text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text->starts_with(kMark)) text->erase(0, kMark.size());
}

}  // namespace

std::optional<std::string> utf8_problem(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t length = byte < 0x80 ? 1 : utf8_length(text.substr(i));
    if (length == 0) return formatted("byte %zu is 0x%02X; expected UTF-8 text.", i, byte);
    i += length;
  }
  return std::nullopt;
}

const std::string& checked_utf8(const std::string& text, const std::string& where) {
  if (const auto problem = utf8_problem(text)) throw InputError(where + ": " + *problem);
  return text;
}

LineReader::LineReader(const std::optional<std::string>& path)
    : reader_(!path || *path == "-" ? ByteReader() : ByteReader(*path)) {
  if ((!path || *path == "-") && is_terminal(stdin)) {
    throw UsageError("found no text; expected an argument, --file, or standard input.");
  }
}

// Appends what one read() returns to the buffer; false at the end.
bool LineReader::fill() {
  constexpr std::size_t kBlock = std::size_t{1} << 17;  // fills several batches
  const std::size_t used = buffer_.size();
  buffer_.resize(used + kBlock);
  const std::size_t count = reader_.read(buffer_.data() + used, kBlock);
  buffer_.resize(used + count);
  return count > 0;
}

std::vector<std::string> LineReader::next_lines() {
  std::size_t searched = 0;
  while (buffer_.find('\n', searched) == std::string::npos) {
    searched = buffer_.size();
    if (fill()) continue;
    if (!buffer_.empty()) buffer_ += '\n';  // the last line
    break;
  }
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t end; (end = buffer_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    std::string& line = lines.emplace_back(buffer_, begin, end - begin);
    if (line.ends_with('\r')) line.pop_back();
    if (std::exchange(at_start_, false)) remove_byte_order_mark(&line);
  }
  buffer_.erase(0, begin);
  return lines;
}

std::string LineReader::whole_text() {
  while (fill()) {
  }
  checked_utf8(buffer_, name());
  remove_byte_order_mark(&buffer_);
  return std::move(buffer_);
}

TextSource::TextSource(const Arguments& arguments, bool pairs, std::size_t skipped)
    : pairs_(pairs) {
  const std::optional<std::string> file = arguments.text("--file");
  std::vector<std::string> texts = arguments.texts();
  texts.erase(texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(skipped));
  if (texts.empty()) {
    reader_.emplace(file);
    return;
  }
  if (file) throw UsageError("--file: found TEXT arguments too. Give one of the two.");
  if (pairs && texts.size() % 2 != 0) {
    throw UsageError("--pairs: found " + std::to_string(texts.size()) +
                     " texts; expected an even number.");
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!pairs || i % 2 == 0) inputs_.emplace_back().first = texts[i];
    if (pairs && i % 2 == 1) inputs_.back().second = texts[i];
    if (!inputs_.back().problem) inputs_.back().problem = utf8_problem(texts[i]);
  }
}

std::vector<Input> TextSource::next_group() {
  if (!reader_) return std::exchange(inputs_, {});
  std::vector<Input> group;
  for (std::string& line : reader_->next_lines()) {
    Input& input = group.emplace_back();
    input.problem = utf8_problem(line);
    input.first = std::move(line);
    if (!pairs_ || input.problem) continue;
    const std::size_t tab = input.first.find('\t');
    if (tab == std::string::npos) {
      input.problem = "found no tab; expected two texts with a tab between them.";
      continue;
    }
    input.second = input.first.substr(tab + 1);
    input.first.resize(tab);
  }
  return group;
}

std::string TextSource::where(std::size_t number) const {
  return (reader_ ? reader_->name() + ", line " : noun_ + " ") + thousands(number);
}

}  // namespace mbrt::tools
