#include "text/core.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "model/message.h"

namespace mbrt::text {
namespace {

// The maximum length of a word: the size of the buffers, and a word of n characters may take n * n steps.
constexpr std::size_t kMaxWordChars = 4096;

PieceRules piece_rules(Description* d, std::string_view source) {
  const std::string name(source);
  if (d->settings.max_word_chars > kMaxWordChars) {
    throw UnsupportedModelError(
        name + ": words of up to " + thousands(d->settings.max_word_chars) +
        " characters (max_input_chars_per_word); at most 4,096 are supported.");
  }
  if (std::all_of(d->pieces.begin(), d->pieces.end(),
                  [](const NamedId& p) { return p.piece.empty(); })) {
    throw ModelFormatError(name + ": the vocabulary is empty." + kConvertAgain);
  }
  PieceTable table(d->pieces, d->repeats, source);
  const std::optional<std::int32_t> unk = table.id(d->settings.unk);
  if (!unk) {
    throw ModelFormatError(name + ": the vocabulary of " + thousands(table.size()) +
                           " pieces lacks the unknown token " + quoted(d->settings.unk) +
                           ". Is this the model's own vocabulary?");
  }
  return PieceRules(std::move(table), d->settings.prefix, *unk, d->settings.max_word_chars);
}

// The library gives an added token the piece's id, or the next one, whatever its file says.
void check_ids(const std::vector<AddedToken>& added, const PieceTable& table,
               std::string_view source) {
  const auto pieces = static_cast<std::int64_t>(table.size());
  std::int64_t largest = -1;
  for (const AddedToken& token : added) {
    if (token.content.empty()) {
      throw ModelFormatError(std::string(source) + ": an added token without content." +
                             kConvertAgain);
    }
    const std::optional<std::int32_t> known = table.id(token.content);
    const std::int64_t next = known ? *known : std::max(largest + 1, pieces);
    const std::string_view other = known ? std::string_view() : table.piece_of(token.id);
    largest = std::max<std::int64_t>(largest, token.id);
    if (token.id == next && other.empty()) continue;
    throw ModelFormatError(std::string(source) + ": the added token " + quoted(token.content) +
                           " has the id " + std::to_string(token.id) + ", but the vocabulary " +
                           (known           ? "gives it " + std::to_string(next)
                            : other.empty() ? "goes on with " + std::to_string(next)
                                            : "gives that to " + quoted(other)) +
                           "." + kConvertAgain);
  }
}

std::vector<AddedToken> added_tokens(Description* d, const PieceTable& table,
                                     std::string_view source) {
  std::vector<AddedToken> added = std::move(d->added);
  for (const std::string& name : d->special) {
    const std::optional<std::int32_t> id = table.id(name);
    const bool there = std::any_of(added.begin(), added.end(),
                                   [&](const AddedToken& t) { return t.content == name; });
    if (!id || there || name.empty()) continue;
    AddedToken token;
    token.content = name;
    token.id = *id;
    added.push_back(std::move(token));
  }
  check_ids(added, table, source);
  return added;
}

// The id of a special token: a piece's, or an added token's.
std::int32_t required(const WordPiece::Core& core, std::optional<std::int32_t> given,
                      const std::string& token, std::string_view source) {
  const std::optional<std::int32_t> id = given ? given : core.id(token);
  if (id) return *id;
  throw ModelFormatError(std::string(source) + ": the vocabulary of " + thousands(core.size) +
                         " pieces lacks the special token " + quoted(token) +
                         ". Is this the model's own vocabulary?");
}

}  // namespace

WordPiece::Core::Core(Description d, std::string_view source)
    : normal(d.settings.clean_text, d.settings.handle_chinese_chars, d.settings.lowercase,
             d.settings.strip_accents.value_or(d.settings.lowercase)),
      pieces(piece_rules(&d, source)),
      added(added_tokens(&d, pieces.table, source), source),
      size(pieces.table.size()) {
  for (const AddedToken& token : added.tokens()) {
    if (!pieces.table.id(token.content)) ++size;
  }
  cls = required(*this, d.cls_id, d.settings.cls, source);
  sep = required(*this, d.sep_id, d.settings.sep, source);
}

std::optional<std::int32_t> WordPiece::Core::id(std::string_view piece) const {
  for (const AddedToken& token : added.tokens()) {
    if (token.content == piece) return token.id;
  }
  return pieces.table.id(piece);
}

}  // namespace mbrt::text
