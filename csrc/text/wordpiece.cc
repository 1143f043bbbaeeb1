#include "text/wordpiece.h"

#include <algorithm>
#include <limits>
#include <string>

#include "base/error.h"
#include "base/parallel.h"
#include "model/message.h"
#include "text/core.h"

namespace mbrt::text {
namespace {

constexpr std::int8_t kSpecial = -1;  // part and word of [CLS] and [SEP]
// Starting a thread for less text than this costs more than it saves.
constexpr std::size_t kBytesPerThread = 8192;

void check_size(std::string_view text) {
  if (text.size() < std::numeric_limits<std::uint32_t>::max()) return;
  throw InputError("the text has " + thousands(text.size()) +
                   " bytes; a text may have just under 4 GiB. Cut it into several.");
}

// Appends the pieces of one text; types and part are the caller's.
void append_pieces(const WordPiece::Core& core, std::string_view text, bool offsets,
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
  e->word.push_back(kSpecial);
  if (offsets) {
    e->begin.push_back(0);
    e->end.push_back(0);
  }
  label(e, type, kSpecial);
}

}  // namespace

std::shared_ptr<const WordPiece> WordPiece::from_vocabulary(std::string_view vocab,
                                                            const Settings& settings) {
  constexpr std::string_view kSource = "vocab.txt";
  const auto core =
      std::make_shared<const Core>(read_vocabulary(vocab, settings, kSource), kSource);
  return std::shared_ptr<const WordPiece>(new WordPiece(core));
}

std::shared_ptr<const WordPiece> WordPiece::from_json(std::string_view tokenizer_json) {
  constexpr std::string_view kSource = "tokenizer.json";
  const auto core =
      std::make_shared<const Core>(read_tokenizer_json(tokenizer_json, kSource), kSource);
  return std::shared_ptr<const WordPiece>(new WordPiece(core));
}

void WordPiece::encode_one(const Text& text, bool offsets, Encoding* out) const {
  *out = {};
  append_special(out, core_->cls, 0, offsets);
  append_pieces(*core_, text.first, offsets, out);
  label(out, 0, 0);
  append_special(out, core_->sep, 0, offsets);
  if (!text.second) return;
  append_pieces(*core_, *text.second, offsets, out);
  label(out, 1, 1);
  append_special(out, core_->sep, 1, offsets);
}

void WordPiece::encode_batch(const Text* texts, std::size_t count, bool offsets,
                             std::size_t max_threads, Encoding* out) const {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) bytes += texts[i].bytes();
  parallel_for(count, std::min(max_threads, 1 + bytes / kBytesPerThread),
               [&](std::size_t i) { encode_one(texts[i], offsets, &out[i]); });
}

std::string WordPiece::piece(std::int32_t id) const {
  const std::string_view piece = core_->pieces.table.piece_of(id);
  if (!piece.empty()) return std::string(piece);
  for (const AddedToken& token : core_->added.tokens()) {
    if (token.id == id) return token.content;
  }
  return {};
}

std::optional<std::int32_t> WordPiece::id(std::string_view piece) const { return core_->id(piece); }

std::size_t WordPiece::size() const { return core_->size; }

}  // namespace mbrt::text
