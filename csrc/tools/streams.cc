#include "tools/streams.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "model/message.h"
#include "tasks/white_space.h"
#include "tools/interrupt.h"

namespace mbrt::tools {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

// The text without the byte order mark that a file may begin with.
std::string without_mark(std::string_view data) {
  if (data.substr(0, kByteOrderMark.size()) == kByteOrderMark) {
    data.remove_prefix(kByteOrderMark.size());
  }
  return std::string(data);
}

[[noreturn]] void fail_to_write() {
  if (errno == EPIPE) throw BrokenPipe{};
  throw Error(std::string("standard output cannot be written: ") + std::strerror(errno));
}

// Bytes of the line break that the text begins with, as str.splitlines knows them.
std::size_t line_break(std::string_view text) {
  if (text.substr(0, 2) == "\r\n") return 2;
  for (const std::string_view end :
       {"\n", "\r", "\v", "\f", "\x1c", "\x1d", "\x1e", "\u0085", "\u2028", "\u2029"}) {
    if (text.substr(0, end.size()) == end) return end.size();
  }
  return 0;
}

}  // namespace

std::string checked_text(std::string_view data, const std::string& name) {
  for (std::size_t i = 0; i < data.size();) {
    const std::size_t length =
        static_cast<unsigned char>(data[i]) < 0x80 ? 1 : utf8_length(data.substr(i));
    if (length == 0) {
      throw InputError(name + formatted(": not UTF-8 text (byte %zu is 0x%02X).", i,
                                        static_cast<unsigned char>(data[i])));
    }
    i += length;
  }
  return std::string(data);
}

void print(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) fail_to_write();
}

void flush() {
  if (std::fflush(stdout) != 0) fail_to_write();
}

LineReader::LineReader(const std::string* path) : descriptor_(STDIN_FILENO) {
  if (path == nullptr || *path == "-") {
    name_ = "standard input";
    if (isatty(STDIN_FILENO) == 0) return;
    throw InputError("there is no text: give it as an argument, by --file, or on standard input.");
  }
  name_ = *path;
  descriptor_ = ::open(path->c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor_ < 0) throw InputError(name_ + ": " + std::strerror(errno));
}

LineReader::~LineReader() {
  if (descriptor_ != STDIN_FILENO) ::close(descriptor_);
}

// Reads what there is behind the buffer; false at the end.
bool LineReader::fill() {
  constexpr std::size_t kBlock = std::size_t{1} << 16;
  if (at_end_) return false;
  buffer_.erase(0, begin_);
  begin_ = 0;
  const std::size_t used = buffer_.size();
  buffer_.resize(used + kBlock);
  ssize_t count = 0;
  do {
    throw_if_interrupted();
    count = ::read(descriptor_, buffer_.data() + used, kBlock);
  } while (count < 0 && errno == EINTR);
  buffer_.resize(used + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
  if (count < 0) throw InputError(name_ + ": " + std::strerror(errno));
  at_end_ = count == 0;
  return !at_end_;
}

bool LineReader::next(std::string* line) {
  std::size_t searched = 0;
  std::size_t end = 0;
  while ((end = buffer_.find('\n', begin_ + searched)) == std::string::npos) {
    searched = buffer_.size() - begin_;
    if (!fill()) break;
  }
  end = std::min(end, buffer_.size());
  if (end == begin_ && at_end_ && begin_ == buffer_.size()) return false;
  std::string_view found = std::string_view(buffer_).substr(begin_, end - begin_);
  if (!found.empty() && found.back() == '\r') found.remove_suffix(1);
  *line = without_mark(checked_text(found, name_ + ", line " + std::to_string(++line_)));
  begin_ = std::min(end + 1, buffer_.size());
  return true;
}

std::string LineReader::rest() {
  while (fill()) {
  }
  return without_mark(checked_text(std::string_view(buffer_).substr(begin_), name_));
}

bool LineReader::is_ready() const {
  if (at_end_ || buffer_.find('\n', begin_) != std::string::npos) return true;
  pollfd watched{descriptor_, POLLIN, 0};
  return poll(&watched, 1, 0) != 0;
}

Text Input::text() const {
  Text text{first, std::nullopt};
  if (second) text.second = *second;
  return text;
}

TextSource::TextSource(const Arguments& arguments, bool pairs)
    : texts_(arguments.rest()), pairs_(pairs) {
  const std::optional<std::string> file = arguments.value("--file");
  if (texts_.empty()) {
    reader_.emplace(file ? &*file : nullptr);
    return;
  }
  if (file) throw InputError("texts were given as arguments and by --file; choose one.");
  if (pairs && texts_.size() % 2 != 0) {
    throw InputError("--pairs needs an even number of texts; there are " +
                     std::to_string(texts_.size()) + ".");
  }
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    texts_[i] = checked_text(texts_[i], "input " + std::to_string(i));
  }
}

std::optional<std::size_t> TextSource::total() const {
  if (reader_) return std::nullopt;
  return pairs_ ? texts_.size() / 2 : texts_.size();
}

bool TextSource::next(Input* input) {
  input->second.reset();
  if (!reader_) {
    if (used_ == texts_.size()) return false;
    input->first = texts_[used_++];
    if (pairs_) input->second = texts_[used_++];
    return true;
  }
  if (!reader_->next(&input->first)) return false;
  ++line_;
  if (!pairs_) return true;
  const std::size_t tab = input->first.find('\t');
  if (tab == std::string::npos) {
    throw InputError("line " + std::to_string(line_) +
                     " is not a pair: the two texts should have a tab between them.");
  }
  input->second = input->first.substr(tab + 1);
  input->first.resize(tab);
  return true;
}

std::vector<Input> TextSource::next_group() {
  constexpr std::size_t kBytes = std::size_t{1} << 17;  // of text: enough to fill some batches
  std::vector<Input> group;
  std::size_t bytes = 0;
  for (Input input; bytes < kBytes && next(&input);) {
    bytes += 1 + input.first.size() + (input.second ? input.second->size() : 0);
    group.push_back(std::move(input));
    if (reader_ && !reader_->is_ready()) break;
  }
  return group;
}

std::vector<Text> texts_of(const std::vector<Input>& inputs) {
  std::vector<Text> texts;
  texts.reserve(inputs.size());
  for (const Input& input : inputs) texts.push_back(input.text());
  return texts;
}

std::string whole_text(const std::string* path) { return LineReader(path).rest(); }

std::vector<std::string> lines_with_text(const std::string& text) {
  std::vector<std::string> lines;
  std::size_t begin = 0;
  for (std::size_t i = 0; i <= text.size();) {
    const std::size_t end = i < text.size() ? line_break(std::string_view(text).substr(i)) : 1;
    if (end == 0) {
      ++i;
      continue;
    }
    std::string line = text.substr(begin, i - begin);
    if (!one_line(line).empty()) lines.push_back(std::move(line));
    i += end;
    begin = i;
  }
  return lines;
}

}  // namespace mbrt::tools
