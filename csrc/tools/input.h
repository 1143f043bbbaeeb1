// The texts of a command: arguments, files and standard input.
#ifndef MBRT_TOOLS_INPUT_H_
#define MBRT_TOOLS_INPUT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/streams.h"
#include "tools/arguments.h"

namespace mbrt::tools {

// Why a text is not UTF-8; null when it is.
std::optional<std::string> utf8_problem(std::string_view text);
// The text if it is UTF-8; else throws InputError. where: "context".
const std::string& checked_utf8(const std::string& text, const std::string& where);

// The lines of a file or of standard input; they end at LF or CRLF. Reading throws CancelledError when
// Ctrl-C interrupts the wait.
class LineReader {
 public:
  // Without a path, or for "-": standard input, which must not be a terminal.
  explicit LineReader(const std::optional<std::string>& path);

  // The next lines without their ends; none at the end of the input. Waits for one line only: a
  // program that writes a line and waits for its result gets it.
  std::vector<std::string> next_lines();
  // Everything, instead of lines. InputError when it is not UTF-8.
  std::string whole_text();

  // The file, in messages.
  const std::string& name() const { return reader_.name(); }

 private:
  bool fill();

  ByteReader reader_;
  std::string buffer_;  // what was read and not returned yet
  bool at_start_ = true;
};

// One text, or one pair of texts.
struct Input {
  std::string first;
  std::optional<std::string> second;
  std::optional<std::string> problem;  // why it cannot be read as one
};

// The inputs of a command: its TEXT arguments, or the lines of --file or of standard input. A blank
// line is a text too, so that line n of the output belongs to line n of the input.
class TextSource {
 public:
  // pairs: two arguments, or the two sides of a tab, are one input. skipped: how many of the first
  // arguments are no texts. Throws UsageError, and InputError for a file that cannot be read.
  TextSource(const Arguments& arguments, bool pairs, std::size_t skipped = 0);
  // Exactly these. noun: "question".
  TextSource(std::vector<Input> inputs, std::string noun)
      : noun_(std::move(noun)), inputs_(std::move(inputs)) {}

  // The inputs to run together; none at the end.
  std::vector<Input> next_group();

  // Input `number` in messages, counted from 1: "texts.txt, line 3" or "text 3".
  std::string where(std::size_t number) const;

  // The number of inputs left, unless they come from a file.
  std::optional<std::size_t> total() const {
    return reader_ ? std::nullopt : std::optional(inputs_.size());
  }

 private:
  std::string noun_ = "text";
  std::vector<Input> inputs_;
  std::optional<LineReader> reader_;  // of more inputs
  bool pairs_ = false;
};

}  // namespace mbrt::tools

#endif  // MBRT_TOOLS_INPUT_H_
