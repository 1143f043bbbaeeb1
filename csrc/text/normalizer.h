// BERT's normalisation and its cut into words, in one pass: clean-up, spaces around ideographs,
// accents off by canonical decomposition, lower case, words at white space and punctuation.
//
// ASCII needs no more than a table of 256 bytes; everything else is decoded and looked up.
#ifndef MBRT_TEXT_NORMALIZER_H_
#define MBRT_TEXT_NORMALIZER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/call_control.h"
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

// A normalised text, and where each of its bytes comes from.
struct NormalText {
  std::string text;
  std::vector<Place> places;

  Place place(std::size_t begin, std::size_t end) const {
    return {places[begin].begin, places[end - 1].end};
  }
};

class Normalizer {
 public:
  Normalizer(const NormalRules& rules, const CallControl& control, WordPieces& words)
      : rules_(rules), control_(control), words_(&words) {}
  // Writes the normalised text, not words.
  Normalizer(const NormalRules& rules, const CallControl& control, NormalText& out)
      : rules_(rules), control_(control), out_(&out) {}

  // A text, or what lies between two added tokens; `base` is where it begins in the original. Throws when
  // the call should stop.
  void run(std::string_view text, std::size_t base);
  // The words of bytes [begin, end) of a text that is normalised already.
  void run(const NormalText& text, std::size_t begin, std::size_t end);

 private:
  struct Pending {
    char32_t c;
    std::uint32_t number;  // among the pending
    std::uint8_t combining;
    bool inserted;  // by a decomposition: not its first part
  };

  void check(std::size_t at);
  void run_words(std::string_view text, std::size_t base);
  std::size_t letters(std::string_view text, std::size_t i, std::size_t base);
  std::size_t wide(std::string_view text, std::size_t i, std::size_t base);
  void character(char32_t c, Place from);
  void stripped(char32_t c, const Properties& p, Place from);
  void part(char32_t c, const Properties& p, bool inserted, Place from);
  void settle();
  void lowered(char32_t c, const Properties& p, Place from);
  void end_word(Place from);
  void put(char32_t c, Place from);
  void split(char32_t c, Place from);

  const NormalRules& rules_;
  const CallControl& control_;
  WordPieces* words_ = nullptr;
  NormalText* out_ = nullptr;   // instead of words
  std::size_t next_check_ = 0;  // where control_ is looked at next
  // Characters that are not starters, until canonical order is known; where they come from.
  std::vector<Pending> pending_;
  std::vector<Place> places_;
  Place last_{0, 0};        // where the last starter comes from
  bool keeps_any_ = false;  // not all of them are accents
};

// `base`: where the text begins in the original.
NormalText normal_text(const NormalRules& rules, const CallControl& control, std::string_view text,
                       std::size_t base);

}  // namespace mbrt::text

#endif  // MBRT_TEXT_NORMALIZER_H_
