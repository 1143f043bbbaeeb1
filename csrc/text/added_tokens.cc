#include "text/added_tokens.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "model/message.h"
#include "text/unicode.h"

namespace mbrt::text {
namespace {

// Hostile tokens would make each of their first bytes in a text cost as many steps.
constexpr std::size_t kLongestContent = 256;

bool is_space(char32_t c) { return (properties(c).flags & kSpace) != 0; }
bool is_word(char32_t c) { return (properties(c).flags & kWord) != 0; }

// The last code point of a text that is not empty.
Decoded decode_last(std::string_view text) {
  constexpr std::size_t kLongest = 4;
  for (std::size_t n = 1; n <= std::min(kLongest, text.size()); ++n) {
    if (is_continuation(text[text.size() - n])) continue;
    const Decoded last = decode_utf8(text.substr(text.size() - n));
    if (last.length == n) return last;
    break;
  }
  return {kReplacement, 1};
}

bool is_whole_word(std::string_view text, std::size_t begin, std::size_t end) {
  if (begin > 0 && is_word(decode_last(text.substr(0, begin)).code)) return false;
  return end == text.size() || !is_word(decode_utf8(text.substr(end)).code);
}

std::size_t before_space(std::string_view text, std::size_t begin) {
  while (begin > 0) {
    const Decoded last = decode_last(text.substr(0, begin));
    if (!is_space(last.code)) break;
    begin -= last.length;
  }
  return begin;
}

std::size_t behind_space(std::string_view text, std::size_t end) {
  while (end < text.size()) {
    const Decoded first = decode_utf8(text.substr(end));
    if (!is_space(first.code)) break;
    end += first.length;
  }
  return end;
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens, std::string_view source)
    : tokens_(std::move(tokens)) {
  std::sort(tokens_.begin(), tokens_.end(),
            [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  PieceList names;
  for (const AddedToken& t : tokens_) {
    if (t.content.size() > kLongestContent) {
      throw UnsupportedModelError(std::string(source) + ": the added token " + quoted(t.content) +
                                  " has " + thousands(t.content.size()) +
                                  " bytes, more than the 256 supported.");
    }
    names.add(t.content, t.id);
    first_bytes_[static_cast<unsigned char>(t.content[0])] = true;
  }
  table_ = PieceTable(std::move(names), PieceTable::Repeats::kRefused, source);
  if (std::count(first_bytes_.begin(), first_bytes_.end(), true) == 1) {
    only_first_byte_ = tokens_[0].content[0];
  }
}

// Where the next content could begin; the text's size when nowhere.
std::size_t AddedTokens::candidate(std::string_view text, std::size_t from) const {
  if (tokens_.empty()) return text.size();
  if (only_first_byte_ != 0) return std::min(text.find(only_first_byte_, from), text.size());
  while (from < text.size() && !first_bytes_[static_cast<unsigned char>(text[from])]) ++from;
  return from;
}

const AddedToken* AddedTokens::longest_at(std::string_view text) const {
  std::size_t longest = PieceTable::kNone;
  PieceTable::Hash hash = table_.begin();
  const std::size_t max_size = std::min(text.size(), table_.longest());
  for (std::size_t size = 1; size <= max_size; ++size) {
    hash = PieceTable::step(hash, text[size - 1]);
    const std::size_t found = table_.find(hash, {}, text.substr(0, size));
    if (found != PieceTable::kNone) longest = found;
  }
  return longest == PieceTable::kNone ? nullptr : &tokens_[longest];
}

AddedTokens::Match AddedTokens::next(std::string_view text, std::size_t search,
                                     std::size_t taken) const {
  while ((search = candidate(text, search)) < text.size()) {
    const AddedToken* const token = longest_at(text.substr(search));
    if (token == nullptr) {
      ++search;
      continue;
    }
    std::size_t begin = search;
    std::size_t end = search + token->content.size();
    search = end;
    if (token->single_word && !is_whole_word(text, begin, end)) continue;
    if (token->lstrip) begin = std::max(before_space(text, begin), taken);
    if (token->rstrip) end = behind_space(text, end);
    return {begin, end, search, token};
  }
  return {text.size(), text.size(), text.size(), nullptr};
}

}  // namespace mbrt::text
