// BERT's normalisation and its cut into words, in one pass: clean-up, spaces around ideographs,
// accents off by canonical decomposition, lower case, words at white space and punctuation.
//
// ASCII needs no more than a table of 256 bytes; everything else is decoded and looked up.
#ifndef MBRT_TEXT_NORMALIZER_H_
#define MBRT_TEXT_NORMALIZER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "text/unicode.h"
#include "text/word_pieces.h"

namespace mbrt::text {

// Immutable; what the settings make of each character.
struct NormalRules {
  NormalRules(bool clean_text, bool handle_chinese_chars, bool lowercase, bool strip_accents);

  enum Kind : std::uint8_t { kLetter, kBreak, kAlone, kDropped, kWide };

  bool clean;
  bool chinese;
  bool lower;
  bool strip;
  std::array<Kind, 256> kinds;      // of bytes
  std::array<char, 256> lettering;  // what a letter becomes
};

class Normalizer {
 public:
  Normalizer(const NormalRules& rules, WordPieces& words) : rules_(rules), words_(words) {}

  // A text, or what lies between two added tokens; `base` is where it begins in the original.
  void run(std::string_view text, std::size_t base);

 private:
  struct Pending {
    char32_t c;
    std::uint32_t number;  // among the pending
    std::uint8_t combining;
    bool inserted;  // by a decomposition: not its first part
  };

  std::size_t letters(std::string_view text, std::size_t i, std::size_t base);
  std::size_t wide(std::string_view text, std::size_t i, std::size_t base);
  void character(char32_t c, Place from);
  void stripped(char32_t c, const Properties& p, Place from);
  void part(char32_t c, const Properties& p, bool inserted, Place from);
  void settle();
  void lowered(char32_t c, const Properties& p, Place from);
  void split(char32_t c, Place from);

  const NormalRules& rules_;
  WordPieces& words_;
  // Characters that are not starters, until canonical order is known; where they come from.
  std::vector<Pending> pending_;
  std::vector<Place> places_;
  Place last_{0, 0};        // where the last starter comes from
  bool keeps_any_ = false;  // not all of them are accents
};

}  // namespace mbrt::text

#endif  // MBRT_TEXT_NORMALIZER_H_
