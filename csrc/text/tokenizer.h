// A tokenizer: texts to token ids with offsets. WordPiece (text/wordpiece.h) is the one in C++; a binding may add
// others.
#ifndef MBRT_TEXT_TOKENIZER_H_
#define MBRT_TEXT_TOKENIZER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/call_control.h"

namespace mbrt::text {

// One input: a text or a pair of texts, in UTF-8. Invalid UTF-8 reads as U+FFFD.
struct Text {
  std::string_view first;
  std::optional<std::string_view> second;

  std::size_t bytes() const { return first.size() + (second ? second->size() : 0); }
};

// One sequence. All vectors have the same length, except that begin and end are empty when no offsets
// were requested. The tokens of each part are contiguous.
struct Encoding {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> types;   // token type ids: 0 or 1
  std::vector<std::uint32_t> begin;  // byte offsets into the text of the token's part;
  std::vector<std::uint32_t> end;    // 0, 0 for special tokens
  std::vector<std::int8_t> part;     // 0 first text, 1 second text, -1 special token ([CLS], [SEP])
  std::vector<std::int32_t> word;    // index of the token's word in its part, -1 when it has none

  std::size_t size() const { return ids.size(); }
  // Appends tokens [first, last) of another encoding.
  void append(const Encoding& from, std::size_t first, std::size_t last);
};

struct EncodeOptions {
  bool offsets = false;         // fill begin and end
  std::size_t max_threads = 1;  // the results do not depend on it
  CallControl control{};
};

// Immutable; any number of threads may use one.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  // Encodes texts[0, count) with their special tokens into out[0, count). InputError for a text of 4 GiB
  // or more; CancelledError, TimeoutError.
  virtual void encode_batch(const Text* texts, std::size_t count, const EncodeOptions& options,
                            Encoding* out) const = 0;

  // The vocabulary's spelling of an id ("##ing"); empty for an id without a piece.
  virtual std::string piece(std::int32_t id) const = 0;
  virtual std::optional<std::int32_t> id(std::string_view piece) const = 0;
  // The number of pieces, added tokens included.
  virtual std::size_t size() const = 0;
  // The largest id that a model for this tokenizer has a row for.
  virtual std::int32_t largest_id() const = 0;

  Encoding encode(const Text& text, bool offsets) const;

 protected:
  Tokenizer() = default;
  Tokenizer(const Tokenizer&) = default;
  Tokenizer& operator=(const Tokenizer&) = default;
};

}  // namespace mbrt::text

#endif  // MBRT_TEXT_TOKENIZER_H_
