// One word after another, cut into the longest pieces that the vocabulary has.
//
// A word is collected character by character, already normalised; finish() cuts it. Nothing is
// allocated for a word. While each normalised byte comes from the byte at the same distance from
// the word's beginning, as in all plain words, no place is written down.
#ifndef MBRT_TEXT_WORD_PIECES_H_
#define MBRT_TEXT_WORD_PIECES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/piece_table.h"
#include "text/tokenizer.h"

namespace mbrt::text {

// Immutable; what a tokenizer knows of its pieces.
struct PieceRules {
  PieceRules(PieceTable pieces, std::string prefix, std::int32_t unknown, std::size_t max_chars);

  PieceTable table;
  std::string prefix;
  std::int32_t unk;
  std::size_t max_word_chars;
  PieceTable::Hash continuation;    // of the prefix alone
  std::vector<std::int32_t> ascii;  // the one piece of each ASCII character alone
};

// A range of the original text, in bytes.
struct Place {
  std::uint32_t begin;
  std::uint32_t end;
};

class WordPieces {
 public:
  // Pieces are appended to `out`, with begin and end only when `offsets`.
  WordPieces(const PieceRules& rules, bool offsets, Encoding& out);

  // One more character of the word that is being collected, up to 4 bytes.
  void add(const char* utf8, std::size_t size, Place from);
  // `count` ASCII characters at once, each from one byte, beginning at `begin`; the caller writes
  // them to ascii_buffer(), which has kRun bytes.
  static constexpr std::size_t kRun = 64;
  char* ascii_buffer() { return bytes_.data() + size_; }
  void add_ascii(std::size_t count, std::uint32_t begin);
  // Cuts the word, if there is one, and begins the next.
  void finish();
  // A word of one ASCII character, and a word that is a token already.
  void single(char ascii, std::uint32_t begin) {
    whole(rules_.ascii[static_cast<unsigned char>(ascii)], {begin, begin + 1});
  }
  void whole(std::int32_t id, Place from);

 private:
  bool empty() const { return chars_ == 0; }
  struct Found {
    std::size_t size;    // bytes of `rest`
    std::size_t number;  // in the table, or PieceTable::kNone
  };
  Found longest_piece(std::string_view head, PieceTable::Hash hash, std::string_view rest);
  void write_places();
  bool cut();
  void emit(std::int32_t id, std::size_t from, std::size_t to);

  const PieceRules& rules_;
  const bool offsets_;
  Encoding& out_;
  std::int32_t words_ = 0;

  std::vector<char> bytes_;               // the longest word plus kRun
  std::vector<PieceTable::Hash> hashes_;  // of the prefixes from where the next piece begins
  std::size_t size_ = 0;
  std::size_t chars_ = 0;
  Place whole_{0, 0};
  bool straight_ = true;       // byte i comes from whole_.begin + i
  std::vector<Place> places_;  // of each byte, when not
};

}  // namespace mbrt::text

#endif  // MBRT_TEXT_WORD_PIECES_H_
