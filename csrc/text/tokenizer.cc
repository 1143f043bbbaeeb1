#include "text/tokenizer.h"

#include <algorithm>
#include <limits>
#include <string>

#include "base/error.h"
#include "model/message.h"
#include "text/core.h"

namespace mbrt::text {
namespace {

constexpr std::int8_t kAround = -1;  // the part and word of the special tokens around texts

void check_size(std::string_view text) {
  if (text.size() < std::numeric_limits<std::uint32_t>::max()) return;
  throw InputError("the text has " + thousands(text.size()) +
                   " bytes; a text may have just under 4 GiB. Cut it into several.");
}

// Appends the pieces of one text; types and part are the caller's.
void append_pieces(const Tokenizer::Core& core, std::string_view text, bool offsets,
                   Encoding* out) {
  check_size(text);
  WordPieces words(core.pieces, offsets, *out);
  Normalizer normalizer(core.normal, words);
  std::size_t taken = 0;
  for (std::size_t search = 0;;) {
    const AddedTokens::Match match = core.added.next(text, search, taken);
    if (taken < match.begin) normalizer.run(text.substr(taken, match.begin - taken), taken);
    if (match.token == nullptr) return;
    words.whole(match.token->id,
                {static_cast<std::uint32_t>(match.begin), static_cast<std::uint32_t>(match.end)});
    search = match.search;
    taken = match.end;
  }
}

void label(Encoding* e, std::int32_t type, std::int8_t part) {
  e->types.resize(e->ids.size(), type);
  e->part.resize(e->ids.size(), part);
}

void append_special(Encoding* e, std::int32_t id, std::int32_t type, bool offsets) {
  e->ids.push_back(id);
  e->word.push_back(kAround);
  if (offsets) {
    e->begin.push_back(0);
    e->end.push_back(0);
  }
  label(e, type, kAround);
}

template <typename T>
void drop(std::vector<T>* values, std::size_t first, std::size_t count) {
  if (values->empty()) return;  // no offsets were asked for
  const auto begin = values->begin() + static_cast<std::ptrdiff_t>(first);
  values->erase(begin, begin + static_cast<std::ptrdiff_t>(count));
}

void drop(Encoding* e, std::size_t first, std::size_t count) {
  if (count == 0) return;
  drop(&e->ids, first, count);
  drop(&e->types, first, count);
  drop(&e->begin, first, count);
  drop(&e->end, first, count);
  drop(&e->part, first, count);
  drop(&e->word, first, count);
}

template <typename T>
void append(std::vector<T>* to, const std::vector<T>& from) {
  to->insert(to->end(), from.begin(), from.end());
}

void append_part(Encoding* e, const Encoding& bare, std::int32_t type) {
  append(&e->ids, bare.ids);
  append(&e->begin, bare.begin);
  append(&e->end, bare.end);
  append(&e->word, bare.word);
  label(e, type, static_cast<std::int8_t>(type));
}

template <typename T>
std::vector<T> cut(const std::vector<T>& values, std::size_t first, std::size_t count) {
  if (values.empty()) return {};
  const auto begin = values.begin() + static_cast<std::ptrdiff_t>(first);
  return {begin, begin + static_cast<std::ptrdiff_t>(count)};
}

}  // namespace

void Encoding::clear() {
  ids.clear();
  types.clear();
  begin.clear();
  end.clear();
  part.clear();
  word.clear();
}

Encoding Encoding::slice(std::size_t first, std::size_t count) const {
  first = std::min(first, size());
  count = std::min(count, size() - first);
  return {cut(ids, first, count), cut(types, first, count), cut(begin, first, count),
          cut(end, first, count), cut(part, first, count),  cut(word, first, count)};
}

Tokenizer Tokenizer::from_vocabulary(std::string_view vocab, const Settings& settings) {
  constexpr std::string_view kSource = "vocab.txt";
  return Tokenizer(
      std::make_shared<const Core>(read_vocabulary(vocab, settings, kSource), kSource));
}

Tokenizer Tokenizer::from_json(std::string_view tokenizer_json) {
  constexpr std::string_view kSource = "tokenizer.json";
  const auto core = std::make_shared<Core>(read_tokenizer_json(tokenizer_json, kSource), kSource);
  if (!core->mask) core->mask = core->id("<mask>");  // no field says which token it is
  return Tokenizer(core);
}

void Tokenizer::encode(std::string_view text, bool offsets, Encoding& out) const {
  out.clear();
  append_pieces(*core_, text, offsets, &out);
  label(&out, 0, 0);
}

void Tokenizer::encode(std::string_view text, std::optional<std::string_view> pair,
                       std::size_t max_length, bool offsets, Encoding& out) const {
  const std::size_t special = special_count(pair.has_value());
  if (max_length != 0 && max_length < special) {
    throw InputError("max_length is " + thousands(max_length) +
                     ", but the special tokens alone are " + thousands(special) +
                     "; give at least that.");
  }
  out.clear();
  append_special(&out, core_->cls, 0, offsets);
  append_pieces(*core_, text, offsets, &out);
  label(&out, 0, 0);
  const std::size_t first = out.size() - 1;
  append_special(&out, core_->sep, 0, offsets);
  std::size_t second = 0;
  if (pair) {
    append_pieces(*core_, *pair, offsets, &out);
    label(&out, 1, 1);
    second = out.size() - first - 2;
    append_special(&out, core_->sep, 1, offsets);
  }
  if (max_length == 0 || out.size() <= max_length) return;
  const PairLengths keep = longest_first(first, second, max_length - special);
  drop(&out, first + 2 + keep.second, second - keep.second);
  drop(&out, 1 + keep.first, first - keep.first);
}

Encoding Tokenizer::assemble(const Encoding& first, const Encoding* second) const {
  const bool offsets = first.begin.size() == first.size() &&
                       (second == nullptr || second->begin.size() == second->size());
  Encoding out;
  append_special(&out, core_->cls, 0, offsets);
  append_part(&out, first, 0);
  append_special(&out, core_->sep, 0, offsets);
  if (second != nullptr) {
    append_part(&out, *second, 1);
    append_special(&out, core_->sep, 1, offsets);
  }
  return out;
}

std::string_view Tokenizer::piece(std::int32_t id) const {
  const std::string_view piece = core_->pieces.table.piece_of(id);
  if (!piece.empty()) return piece;
  for (const AddedToken& token : core_->added.tokens()) {
    if (token.id == id) return token.content;
  }
  return {};
}

std::optional<std::int32_t> Tokenizer::id(std::string_view piece) const { return core_->id(piece); }

std::int32_t Tokenizer::largest_id() const {
  std::int32_t largest = core_->pieces.table.largest_id();
  for (const std::int32_t special : {core_->cls, core_->sep}) largest = std::max(largest, special);
  for (const AddedToken& token : core_->added.tokens()) largest = std::max(largest, token.id);
  return largest;
}

std::size_t Tokenizer::size() const { return core_->size; }
std::int32_t Tokenizer::unk_id() const { return core_->pieces.unk; }
std::int32_t Tokenizer::cls_id() const { return core_->cls; }
std::int32_t Tokenizer::sep_id() const { return core_->sep; }
std::optional<std::int32_t> Tokenizer::pad_id() const { return core_->pad; }
std::optional<std::int32_t> Tokenizer::mask_id() const { return core_->mask; }

PairLengths longest_first(std::size_t first, std::size_t second, std::size_t room) {
  if (first + second <= room) return {first, second};
  const std::size_t shorter = std::min({first, second, room / 2});
  if (first <= second) return {shorter, room - shorter};
  return {room - shorter, shorter};
}

}  // namespace mbrt::text
