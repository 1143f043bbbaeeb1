// Texts in, results out: arguments, files and standard input, lines and JSON. The twin of
// mobilebert_rt/cli/streams.py.
#ifndef MBRT_TOOLS_STREAMS_H_
#define MBRT_TOOLS_STREAMS_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tasks/windows.h"
#include "tools/arguments.h"

namespace mbrt::tools {

// The reader of standard output (`| head`) has gone.
struct BrokenPipe {};

// The text; InputError, beginning with the name, when it is not UTF-8.
std::string checked_text(std::string_view data, const std::string& name);

// Writes to standard output. BrokenPipe, or an Error that says why.
void print(std::string_view text);
void flush();

// A file's or standard input's bytes, line by line. CancelledError when Ctrl-C interrupts the wait.
class LineReader {
 public:
  // Null or "-": standard input, which must not be a terminal. InputError.
  explicit LineReader(const std::string* path);
  ~LineReader();
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  // The next line without its end and without a byte order mark, checked to be UTF-8 (InputError);
  // false at the end.
  bool next(std::string* line);
  // All that is left.
  std::string rest();
  // Whether there is more without waiting for it.
  bool is_ready() const;

 private:
  bool fill();

  int descriptor_;
  std::string name_;
  std::string buffer_;
  std::size_t begin_ = 0;  // of what has not been given out
  std::size_t line_ = 0;
  bool at_end_ = false;
};

// One text of a command's input, or one pair.
struct Input {
  std::string first;
  std::optional<std::string> second;
  Text text() const;
};

// The texts of a command: its arguments, or the lines of --file or of standard input. A blank line
// is a text too, so that results and lines keep step. InputError when there is nothing to read.
class TextSource {
 public:
  // pairs: two arguments, or the two sides of a tab, are one input.
  TextSource(const Arguments& arguments, bool pairs);

  // The next texts to run together; none at the end. What comes slowly, as from a program that
  // waits for each answer, is not held back to fill a group.
  std::vector<Input> next_group();

  // Known for arguments only.
  std::optional<std::size_t> total() const;

 private:
  bool next(Input* input);

  std::vector<std::string> texts_;
  std::size_t used_ = 0;
  std::optional<LineReader> reader_;
  bool pairs_;
  std::size_t line_ = 0;
};

std::vector<Text> texts_of(const std::vector<Input>& inputs);

// All of a file, or of standard input for null and "-", checked to be UTF-8.
std::string whole_text(const std::string* path);

// The lines of a text as Python's str.splitlines cuts it, without those that are only white space.
std::vector<std::string> lines_with_text(const std::string& text);

// For people's eyes: no line breaks or tabs.
std::string one_line(std::string_view text);

// Characters in UTF-8 text.
std::size_t characters(std::string_view text);

// From byte offsets to characters, quickly when they ascend.
class CharacterCounter {
 public:
  explicit CharacterCounter(std::string_view text) : text_(text) {}
  std::size_t at(std::size_t byte);

 private:
  std::string_view text_;
  std::size_t byte_ = 0;
  std::size_t characters_ = 0;
};

// The text and spaces up to `width` characters.
std::string padded(std::string_view text, std::size_t width);

// printf into a string.
[[gnu::format(printf, 1, 2)]] std::string formatted(const char* format, ...);

// Columns padded to their widest cell; numbers to the right.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace mbrt::tools

#endif  // MBRT_TOOLS_STREAMS_H_
