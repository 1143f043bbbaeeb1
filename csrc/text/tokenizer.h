// BERT's tokenizer: text to ids with offsets, id for id what the `tokenizers` library gives for the
// same tokenizer.json or vocab.txt (docs/tokenizer.md says how that is known).
//
//   const Tokenizer tokenizer = Tokenizer::from_json(text_of_tokenizer_json);
//   Encoding e;
//   tokenizer.encode("Ada Lovelace", std::nullopt, 128, true, e);      // [CLS] ada love ##lace [SEP]
//
// Texts are untrusted bytes: what is not UTF-8 counts as U+FFFD, one for each maximal invalid
// subsequence, as Python's bytes.decode("utf-8", "replace") has it; the clean-up removes those. A
// Tokenizer is immutable, cheap to copy, and may be used by any number of threads.
#ifndef MBRT_TEXT_TOKENIZER_H_
#define MBRT_TEXT_TOKENIZER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mbrt::text {

// What a vocab.txt does not say: tokenizer_config.json's do_lower_case, strip_accents,
// tokenize_chinese_chars and special tokens. pad and mask may be missing from the vocabulary.
struct Settings {
  bool clean_text = true;
  bool handle_chinese_chars = true;
  bool lowercase = true;
  std::optional<bool> strip_accents;  // nullopt: as lowercase
  std::string unk = "[UNK]";
  std::string cls = "[CLS]";
  std::string sep = "[SEP]";
  std::string pad = "[PAD]";
  std::string mask = "[MASK]";
  std::string prefix = "##";
  std::size_t max_word_chars = 100;
};

// One sequence; all vectors are of the same length, but begin and end are empty when no offsets
// were asked for.
struct Encoding {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> types;   // 0, 1
  std::vector<std::uint32_t> begin;  // byte offsets into the original text of its part;
  std::vector<std::uint32_t> end;    // 0, 0 for the special tokens around the texts
  std::vector<std::int8_t> part;     // 0 first text, 1 second, -1 special token around them
  std::vector<std::int32_t> word;    // number of its word in its part, -1 special token around them

  std::size_t size() const { return ids.size(); }
  void clear();
  // The pieces [first, first + count) alone, as when a window is cut out of a bare encoding.
  Encoding slice(std::size_t first, std::size_t count) const;
};

class Tokenizer {
 public:
  // From a vocab.txt: one piece a line, its number from 0 the id; a repeated piece takes its last
  // line. ModelFormatError when the text is not UTF-8 or lacks unk, cls or sep.
  static Tokenizer from_vocabulary(std::string_view vocab, const Settings& settings);

  // From a tokenizer.json: BertNormalizer, BertPreTokenizer, WordPiece, BertProcessing or the
  // template that says the same, added tokens. UnsupportedModelError names anything else,
  // ModelFormatError what is malformed. Its truncation and padding are not taken over.
  static Tokenizer from_json(std::string_view tokenizer_json);

  // The pieces of one text, no special tokens around them; `out` is overwritten and its memory
  // used again. Throws InputError for a text of 4 GiB or more.
  void encode(std::string_view text, bool offsets, Encoding& out) const;

  // [CLS] text [SEP], or [CLS] text [SEP] pair [SEP]. max_length: tokens in all, special tokens
  // included, 0: no limit; a pair too long loses pieces at its longer text's end. InputError when
  // max_length is below special_count.
  void encode(std::string_view text, std::optional<std::string_view> pair, std::size_t max_length,
              bool offsets, Encoding& out) const;

  // The special tokens that belong around bare encodings.
  Encoding assemble(const Encoding& first, const Encoding* second = nullptr) const;

  // How many special tokens a text, or a pair, is given.
  std::size_t special_count(bool pair) const { return pair ? 3 : 2; }

  // The vocabulary's own spelling of an id ("##ing"); empty for an id without a piece.
  std::string_view piece(std::int32_t id) const;
  std::optional<std::int32_t> id(std::string_view piece) const;  // added tokens included
  // How many pieces there are, added tokens included; ids may lie beyond it in odd files.
  std::size_t size() const;
  std::int32_t largest_id() const;
  std::int32_t unk_id() const;
  std::int32_t cls_id() const;
  std::int32_t sep_id() const;
  std::optional<std::int32_t> pad_id() const;
  std::optional<std::int32_t> mask_id() const;

  struct Core;

 private:
  explicit Tokenizer(std::shared_ptr<const Core> core) : core_(std::move(core)) {}
  std::shared_ptr<const Core> core_;
};

// How many tokens each text of a pair keeps so that both fit into `room`: the shorter up to half,
// the longer what is left.
struct PairLengths {
  std::size_t first;
  std::size_t second;
};
PairLengths longest_first(std::size_t first, std::size_t second, std::size_t room);

}  // namespace mbrt::text

#endif  // MBRT_TEXT_TOKENIZER_H_
