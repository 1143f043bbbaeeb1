// Tokens that are found in the raw text, before any normalisation: [MASK] and the like.
#ifndef MBRT_TEXT_ADDED_TOKENS_H_
#define MBRT_TEXT_ADDED_TOKENS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/piece_table.h"

namespace mbrt::text {

struct AddedToken {
  std::string content;
  std::int32_t id = 0;
  bool single_word = false;  // only between characters that are not of a word
  bool lstrip = false;       // takes the white space before it
  bool rstrip = false;       // takes the white space after it
};

class AddedTokens {
 public:
  AddedTokens() = default;
  // Contents are not empty. Refuses two tokens of the same content or id, and contents too long.
  AddedTokens(std::vector<AddedToken> tokens, std::string_view source);

  struct Match {
    std::size_t begin;  // of the text, with the white space that the token takes
    std::size_t end;
    std::size_t search;       // where the search goes on
    const AddedToken* token;  // null: none up to the end
  };
  // The first token at or behind `search`, the longest of several there. taken: up to where the
  // text belongs to the token before; white space before that is not taken again.
  Match next(std::string_view text, std::size_t search, std::size_t taken) const;

  const std::vector<AddedToken>& tokens() const { return tokens_; }

 private:
  std::size_t candidate(std::string_view text, std::size_t from) const;
  const AddedToken* longest_at(std::string_view text) const;

  std::vector<AddedToken> tokens_;  // ids ascending, as in table_
  PieceTable table_;
  std::array<bool, 256> first_bytes_{};
  char only_first_byte_ = 0;  // when all contents begin alike
};

}  // namespace mbrt::text

#endif  // MBRT_TEXT_ADDED_TOKENS_H_
