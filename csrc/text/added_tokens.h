// Tokens that are found as a whole, before words are cut: [MASK] and the like. Most are found in the
// raw text, some in the normalised text.
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
  static constexpr std::int32_t kNoId = -1;

  std::string content;
  std::int32_t id = kNoId;   // as declared by a file; kNoId: the piece's, or the next one
  bool single_word = false;  // only between characters that are not of a word
  bool lstrip = false;       // takes the white space before it
  bool rstrip = false;       // takes the white space after it
  bool normalized = false;   // its normalised content is found in the normalised text
  bool implied = false;  // a special token, of which no file says that the model has a row for it

  bool same_flags(const AddedToken& o) const {
    return single_word == o.single_word && lstrip == o.lstrip && rstrip == o.rstrip &&
           normalized == o.normalized;
  }
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

  bool empty() const { return tokens_.empty(); }

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
