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

namespace mbrt::text {

// A tokenizer as a file describes it; nothing is checked against anything yet.
struct Description {
  Settings settings;
  std::vector<NamedId> pieces;
  PieceTable::Repeats repeats = PieceTable::Repeats::kRefused;
  std::vector<AddedToken> added;
  std::vector<std::string> special;  // pieces that are to be added tokens too, if there are such
  // The ids around texts, where the file gives them; else those of settings.cls and settings.sep.
  std::optional<std::int32_t> cls_id;
  std::optional<std::int32_t> sep_id;
};

// `source` names the text in errors. ModelFormatError, UnsupportedModelError.
Description read_vocabulary(std::string_view text, const Settings& settings,
                            std::string_view source);
Description read_tokenizer_json(std::string_view text, std::string_view source);

struct WordPiece::Core {
  Core(Description description, std::string_view source);

  NormalRules normal;
  PieceRules pieces;
  AddedTokens added;
  std::int32_t cls;
  std::int32_t sep;
  std::size_t size;  // pieces and added tokens that are not pieces

  std::optional<std::int32_t> id(std::string_view piece) const;
};

}  // namespace mbrt::text

#endif  // MBRT_TEXT_CORE_H_
