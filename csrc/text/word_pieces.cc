#include "text/word_pieces.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "text/unicode.h"

namespace mbrt::text {
namespace {

constexpr std::size_t kAscii = 128;
constexpr std::size_t kLongestChar = 4;  // bytes

}  // namespace

PieceRules::PieceRules(PieceTable pieces, std::string prefix_text, std::int32_t unknown,
                       std::size_t max_chars)
    : table(std::move(pieces)),
      prefix(std::move(prefix_text)),
      unk(unknown),
      max_word_chars(max_chars),
      continuation(table.hash(prefix)),
      ascii(kAscii, unknown) {
  for (std::size_t i = 0; i < kAscii && max_chars > 0; ++i) {
    const char c = static_cast<char>(i);
    ascii[i] = table.id(std::string_view(&c, 1)).value_or(unk);
  }
}

WordPieces::WordPieces(const PieceRules& rules, bool offsets, Encoding& out)
    : rules_(rules),
      offsets_(offsets),
      out_(out),
      bytes_(rules.max_word_chars * kLongestChar + kRun),
      hashes_(bytes_.size()) {}

void WordPieces::add(const char* utf8, std::size_t size, Place from) {
  if (empty()) whole_.begin = from.begin;
  whole_.end = from.end;
  if (++chars_ > rules_.max_word_chars) {
    size_ = 0;
    return;
  }
  std::memcpy(bytes_.data() + size_, utf8, size);
  if (offsets_) {
    const bool goes_on = from.begin == whole_.begin + size_ && from.end == from.begin + size;
    if (straight_ && !goes_on) write_places();
    if (!straight_) places_.insert(places_.end(), size, from);
  }
  size_ += size;
}

void WordPieces::add_ascii(std::size_t count, std::uint32_t begin) {
  if (empty()) whole_.begin = begin;
  whole_.end = begin + static_cast<std::uint32_t>(count);
  chars_ += count;
  if (chars_ > rules_.max_word_chars) {
    size_ = 0;
    return;
  }
  if (offsets_) {
    if (straight_ && begin != whole_.begin + size_) write_places();
    if (!straight_) {
      for (std::uint32_t i = begin; i < whole_.end; ++i) places_.push_back({i, i + 1});
    }
  }
  size_ += count;
}

// The places of the bytes so far, which were straight.
void WordPieces::write_places() {
  places_.clear();
  for (std::size_t i = 0; i < size_; ++i) {
    // A character's bytes all come from the whole character.
    std::size_t first = i;
    std::size_t last = i + 1;
    while (is_continuation(bytes_[first])) --first;
    while (last < size_ && is_continuation(bytes_[last])) ++last;
    places_.push_back({whole_.begin + static_cast<std::uint32_t>(first),
                       whole_.begin + static_cast<std::uint32_t>(last)});
  }
  straight_ = false;
}

void WordPieces::whole(std::int32_t id, Place from) {
  out_.ids.push_back(id);
  out_.word.push_back(words_++);
  if (!offsets_) return;
  out_.begin.push_back(from.begin);
  out_.end.push_back(from.end);
}

void WordPieces::emit(std::int32_t id, std::size_t from, std::size_t to) {
  out_.ids.push_back(id);
  out_.word.push_back(words_);
  if (!offsets_) return;
  const auto straight = [&](std::size_t i) { return whole_.begin + static_cast<std::uint32_t>(i); };
  out_.begin.push_back(straight_ ? straight(from) : places_[from].begin);
  out_.end.push_back(straight_ ? straight(to) : places_[to - 1].end);
}

void WordPieces::finish() {
  if (empty()) return;
  if (chars_ <= rules_.max_word_chars && cut()) {
    ++words_;
  } else {
    whole(rules_.unk, whole_);
  }
  size_ = chars_ = 0;
  straight_ = true;
}

// Greedy: the longest piece that begins the rest of the word. False, and nothing is appended, when
// there is none somewhere.
bool WordPieces::cut() {
  const std::size_t before = out_.ids.size();
  std::string_view rest(bytes_.data(), size_);
  std::string_view head;
  PieceTable::Hash start = rules_.table.begin();
  while (!rest.empty()) {
    const auto [size, number] = longest_piece(head, start, rest);
    if (number == PieceTable::kNone) {
      out_.ids.resize(before);
      out_.word.resize(before);
      out_.begin.resize(offsets_ ? before : 0);
      out_.end.resize(offsets_ ? before : 0);
      return false;
    }
    const std::size_t from = size_ - rest.size();
    emit(rules_.table.id_at(number), from, from + size);
    rest.remove_prefix(size);
    head = rules_.prefix;
    start = rules_.continuation;
  }
  return true;
}

WordPieces::Found WordPieces::longest_piece(std::string_view head, PieceTable::Hash hash,
                                            std::string_view rest) {
  const std::size_t max_tail =
      rules_.table.longest() - std::min(rules_.table.longest(), head.size());
  const std::size_t max_size = std::min(rest.size(), max_tail);
  for (std::size_t i = 0; i < max_size; ++i) hashes_[i] = hash = PieceTable::step(hash, rest[i]);
  for (std::size_t size = max_size; size > 0; --size) {
    if (size < rest.size() && is_continuation(rest[size])) continue;  // within a character
    const std::size_t number = rules_.table.find(hashes_[size - 1], head, rest.substr(0, size));
    if (number != PieceTable::kNone) return {size, number};
  }
  return {0, PieceTable::kNone};
}

}  // namespace mbrt::text
