#include "text/wordpiece.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

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

// Calls between(begin, end) and found(token, begin, end) for the consecutive ranges of the text.
template <typename Between, typename Found>
void walk(const AddedTokens& added, std::string_view text, const Between& between,
          const Found& found) {
  std::size_t taken = 0;
  for (std::size_t search = 0;;) {
    const AddedTokens::Match match = added.next(text, search, taken);
    if (taken < match.begin) between(taken, match.begin);
    if (match.token == nullptr) return;
    found(*match.token, match.begin, match.end);
    search = match.search;
    taken = match.end;
  }
}

// Appends the pieces of one text; types and part are the caller's.
void append_pieces(const WordPiece::Core& core, std::string_view text, const EncodeOptions& options,
                   Encoding* out) {
  check_size(text);
  WordPieces words(core.pieces, options.offsets, *out);
  Normalizer normalizer(core.normal, options.control, words);
  const auto between = [&](std::size_t begin, std::size_t end) {
    const std::string_view part = text.substr(begin, end - begin);
    if (core.normalized.empty()) return normalizer.run(part, begin);
    const NormalText normal = normal_text(core.normal, options.control, part, begin);
    walk(
        core.normalized, normal.text,
        [&](std::size_t first, std::size_t last) { normalizer.run(normal, first, last); },
        [&](const AddedToken& token, std::size_t first, std::size_t last) {
          words.whole(token.id, normal.place(first, last));
        });
  };
  walk(core.raw, text, between, [&](const AddedToken& token, std::size_t begin, std::size_t end) {
    words.whole(token.id, {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
  });
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

std::shared_ptr<const WordPiece> WordPiece::make(Description description, std::string_view source) {
  const auto core = std::make_shared<const Core>(std::move(description), source);
  return std::shared_ptr<const WordPiece>(new WordPiece(core));
}

void WordPiece::encode_one(const Text& text, const EncodeOptions& options, Encoding* out) const {
  *out = {};
  append_special(out, core_->cls, 0, options.offsets);
  append_pieces(*core_, text.first, options, out);
  label(out, 0, 0);
  append_special(out, core_->sep, 0, options.offsets);
  if (!text.second) return;
  append_pieces(*core_, *text.second, options, out);
  label(out, 1, 1);
  append_special(out, core_->sep, 1, options.offsets);
}

void WordPiece::encode_batch(const Text* texts, std::size_t count, const EncodeOptions& options,
                             Encoding* out) const {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) bytes += texts[i].bytes();
  parallel_for(count, std::min(options.max_threads, 1 + bytes / kBytesPerThread),
               [&](std::size_t i) { encode_one(texts[i], options, &out[i]); });
}

std::string WordPiece::piece(std::int32_t id) const {
  const std::string_view piece = core_->pieces.table.piece_of(id);
  if (!piece.empty()) return std::string(piece);
  for (const AddedToken& token : core_->tokens) {
    if (token.id == id) return token.content;
  }
  return {};
}

std::optional<std::int32_t> WordPiece::id(std::string_view piece) const { return core_->id(piece); }

std::size_t WordPiece::size() const { return core_->size; }

std::int32_t WordPiece::largest_id() const { return core_->declared_end - 1; }

}  // namespace mbrt::text
