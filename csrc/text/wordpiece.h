// BERT's WordPiece tokenizer: the same ids and offsets as the `tokenizers` library gives for the same
// tokenizer.json or vocab.txt (docs/tokenizer.md says how this is checked).
//
//   const auto tokenizer = WordPiece::make(read_tokenizer_json(text, "tokenizer.json"), "tokenizer.json");
//   tokenizer->encode({"Ada Lovelace", {}}, true);               // [CLS] ada love ##lace [SEP]
//
// Texts are untrusted bytes. Invalid UTF-8 reads as U+FFFD, one for each maximal invalid subsequence,
// as in Python's bytes.decode("utf-8", "replace"); clean_text removes it.
#ifndef MBRT_TEXT_WORDPIECE_H_
#define MBRT_TEXT_WORDPIECE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "text/tokenizer.h"

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

struct Description;

class WordPiece final : public Tokenizer {
 public:
  // From what a folder's files say (text/core.h, text/tokenizer_config.h). source: names them in messages.
  // UnsupportedModelError, ModelFormatError.
  static std::shared_ptr<const WordPiece> make(Description description, std::string_view source);

  void encode_batch(const Text* texts, std::size_t count, const EncodeOptions& options,
                    Encoding* out) const override;
  std::string piece(std::int32_t id) const override;
  std::optional<std::int32_t> id(std::string_view piece) const override;
  std::size_t size() const override;
  std::int32_t largest_id() const override;

  struct Core;

 private:
  explicit WordPiece(std::shared_ptr<const Core> core) : core_(std::move(core)) {}
  void encode_one(const Text& text, const EncodeOptions& options, Encoding* out) const;

  std::shared_ptr<const Core> core_;
};

}  // namespace mbrt::text

#endif  // MBRT_TEXT_WORDPIECE_H_
