#include "tools/wording.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace mbrt::tools {
namespace {

struct Words {
  std::string_view keyword, option;
};

constexpr Words kWords[] = {
    {"on_overflow", "--on-overflow"},
    {"max_length", "--max-length"},
    {"num_threads", "--threads"},
    {"max_batch_tokens", "--max-batch-tokens"},
    {"top_k", "--top-k"},
    {"n_best", "--n-best"},
    {"doc_stride", "--stride"},
    {"max_answer_length", "--max-answer-length"},
};

// Part of a name or of a path.
bool is_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '/' || c == '.';
}

// The length of a quoted value at the start of the text, with what separates it from its name; 0 when
// there is none.
std::size_t quoted_length(std::string_view text) {
  if (text.size() < 3 || (text[0] != ' ' && text[0] != '=') || (text[1] != '"' && text[1] != '\''))
    return 0;
  const std::size_t end = text.find(text[1], 2);
  return end == std::string_view::npos ? 0 : end + 1;
}

}  // namespace

std::string on_command_line(std::string_view message) {
  std::string text;
  while (!message.empty()) {
    const auto found = std::find_if(std::begin(kWords), std::end(kWords), [&](const Words& words) {
      const std::string_view rest = message.substr(std::min(words.keyword.size(), message.size()));
      // A full stop after it may end the sentence.
      return message.starts_with(words.keyword) &&
             (rest.empty() || !is_name(rest[0]) || rest.starts_with(". ") || rest == ".");
    });
    if (found == std::end(kWords) || (!text.empty() && is_name(text.back()))) {
      text += message[0];
      message.remove_prefix(1);
      continue;
    }
    text += found->option;
    message.remove_prefix(found->keyword.size());
    const std::size_t value = quoted_length(message);
    if (value == 0) continue;
    text += ' ';
    text += message.substr(2, value - 3);
    message.remove_prefix(value);
  }
  return text;
}

}  // namespace mbrt::tools
