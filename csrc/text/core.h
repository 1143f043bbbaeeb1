// What a WordPiece tokenizer holds, and what the two kinds of files say for it.
#ifndef MBRT_TEXT_CORE_H_
#define MBRT_TEXT_CORE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/added_tokens.h"
#include "text/normalizer.h"
#include "text/piece_table.h"
#include "text/word_pieces.h"
#include "text/wordpiece.h"

namespace mbrt {
class JsonReader;
}

namespace mbrt::text {

// A tokenizer as a file describes it; nothing is checked against anything yet.
struct Description {
  Settings settings;
  PieceList pieces;
  PieceTable::Repeats repeats = PieceTable::Repeats::kRefused;
  std::vector<AddedToken> added;
  // The ids around texts, where the file gives them; else those of settings.cls and settings.sep.
  std::optional<std::int32_t> cls_id;
  std::optional<std::int32_t> sep_id;
};

// A vocab.txt: one piece a line, its line number from 0 the id; a repeated piece has the id of its last line.
// A tokenizer.json: BertNormalizer, BertPreTokenizer, WordPiece, BertProcessing or the equivalent template, added
// tokens; its truncation and padding are ignored. `source` names the text in errors. ModelFormatError,
// UnsupportedModelError for other parts.
Description read_vocabulary(std::string_view text, const Settings& settings,
                            std::string_view source);
Description read_tokenizer_json(std::string_view text, std::string_view source);

// The content or a flag of an added token; false, and nothing is read, for another key.
bool read_token_field(JsonReader* json, const std::string& key, AddedToken* token);

struct WordPiece::Core {
  Core(Description description, std::string_view source);

  NormalRules normal;
  PieceRules pieces;
  std::vector<AddedToken> tokens;  // all added tokens
  AddedTokens raw;                 // those found in the raw text
  AddedTokens normalized;  // those found in the normalised text, by their normalised content
  std::int32_t cls;
  std::int32_t sep;
  std::size_t size;  // pieces and added tokens that are not pieces
  std::int32_t
      declared_end;  // behind the largest id of a piece or an added token that a file names

  std::optional<std::int32_t> id(std::string_view piece) const;
};

}  // namespace mbrt::text

#endif  // MBRT_TEXT_CORE_H_
