#include "text/core.h"

#include <algorithm>
#include <iterator>
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
  if (d->pieces.text.empty()) {
    throw ModelFormatError(name + ": the vocabulary is empty." + kConvertAgain);
  }
  PieceTable table(std::move(d->pieces), d->repeats, source);
  const std::optional<std::int32_t> unk = table.id(d->settings.unk);
  if (!unk) {
    throw ModelFormatError(name + ": the vocabulary of " + thousands(table.size()) +
                           " pieces lacks the unknown token " + quoted(d->settings.unk) +
                           ". Is this the model's own vocabulary?");
  }
  return PieceRules(std::move(table), d->settings.prefix, *unk, d->settings.max_word_chars);
}

// Gives each added token its id as the library does, in their order: the piece's, or the next one. ModelFormatError
// when the file declares another.
void assign_ids(std::vector<AddedToken>* added, const PieceTable& table, std::string_view source) {
  auto next = static_cast<std::int64_t>(table.size());
  for (AddedToken& token : *added) {
    if (token.content.empty()) {
      throw ModelFormatError(std::string(source) + ": an added token without content." +
                             kConvertAgain);
    }
    const std::optional<std::int32_t> known = table.id(token.content);
    const std::int64_t id = known ? *known : next;
    const bool is_declared = token.id != AddedToken::kNoId;
    const std::int64_t declared = is_declared ? token.id : id;
    const std::string_view other =
        known ? std::string_view() : table.piece_of(static_cast<std::int32_t>(declared));
    next = std::max(next, declared + 1);
    token.id = static_cast<std::int32_t>(id);
    if (declared == id && other.empty()) continue;
    throw ModelFormatError(std::string(source) + ": the added token " + quoted(token.content) +
                           " has the id " + std::to_string(declared) + ", but the vocabulary " +
                           (known           ? "gives it " + std::to_string(id)
                            : other.empty() ? "goes on with " + std::to_string(id)
                                            : "gives that to " + quoted(other)) +
                           "." + kConvertAgain);
  }
}

// A content that several tokens have; empty when there is none.
std::string_view repeated_content(const std::vector<AddedToken>& tokens) {
  std::vector<std::string_view> contents;
  for (const AddedToken& token : tokens) contents.push_back(token.content);
  std::sort(contents.begin(), contents.end());
  const auto repeated = std::adjacent_find(contents.begin(), contents.end());
  return repeated == contents.end() ? std::string_view() : *repeated;
}

std::vector<AddedToken> raw_tokens(const std::vector<AddedToken>& tokens) {
  std::vector<AddedToken> found;
  std::copy_if(tokens.begin(), tokens.end(), std::back_inserter(found),
               [](const AddedToken& t) { return !t.normalized; });
  return found;
}

std::vector<AddedToken> normalized_tokens(const std::vector<AddedToken>& tokens,
                                          const NormalRules& rules, std::string_view source) {
  std::vector<AddedToken> found;
  for (const AddedToken& token : tokens) {
    if (!token.normalized) continue;
    found.push_back(token);
    found.back().content = normal_text(rules, CallControl{}, token.content, 0).text;
    if (!found.back().content.empty()) continue;
    throw UnsupportedModelError(std::string(source) + ": the added token " + quoted(token.content) +
                                " has no normalised text.");
  }
  const std::string_view repeated = repeated_content(found);
  if (repeated.empty()) return found;
  throw UnsupportedModelError(std::string(source) +
                              ": several added tokens have the normalised text " +
                              quoted(repeated) + "; expected one. Remove the others.");
}

// The id of a special token: a piece's, or an added token's that a file names.
std::int32_t required(const WordPiece::Core& core, std::optional<std::int32_t> given,
                      const std::string& token, std::string_view source) {
  const std::optional<std::int32_t> id = given ? given : core.id(token);
  if (id && *id < core.declared_end) return *id;
  throw ModelFormatError(std::string(source) + ": the vocabulary of " +
                         thousands(core.pieces.table.size()) + " pieces lacks the special token " +
                         quoted(token) + ". Is this the model's own vocabulary?");
}

}  // namespace

WordPiece::Core::Core(Description d, std::string_view source)
    : normal(d.settings.clean_text, d.settings.handle_chinese_chars, d.settings.lowercase,
             d.settings.strip_accents.value_or(d.settings.lowercase)),
      pieces(piece_rules(&d, source)),
      tokens(std::move(d.added)),
      size(pieces.table.size()),
      declared_end(pieces.table.largest_id() + 1) {
  const std::string_view repeated = repeated_content(tokens);
  if (!repeated.empty()) {
    throw ModelFormatError(std::string(source) + ": the added token " + quoted(repeated) +
                           " comes twice." + kConvertAgain);
  }
  assign_ids(&tokens, pieces.table, source);
  raw = AddedTokens(raw_tokens(tokens), source);
  normalized = AddedTokens(normalized_tokens(tokens, normal, source), source);
  for (const AddedToken& token : tokens) {
    if (!pieces.table.id(token.content)) ++size;
    if (!token.implied) declared_end = std::max(declared_end, token.id + 1);
  }
  cls = required(*this, d.cls_id, d.settings.cls, source);
  sep = required(*this, d.sep_id, d.settings.sep, source);
}

std::optional<std::int32_t> WordPiece::Core::id(std::string_view piece) const {
  for (const AddedToken& token : tokens) {
    if (token.content == piece) return token.id;
  }
  return pieces.table.id(piece);
}

}  // namespace mbrt::text
