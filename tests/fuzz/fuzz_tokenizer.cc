// libFuzzer target of the tokenizer: any tokenizer file gives an error or a tokenizer, and any text
// gives pieces with offsets inside the text.
//
//   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -Icsrc
//   tests/fuzz/fuzz_tokenizer.cc csrc/text/*.cc csrc/model/json.cc \
//       csrc/model/message.cc csrc/base/thread_pool.cc -o fuzz_tokenizer
//   ./fuzz_tokenizer corpus/        with a small tokenizer.json after a byte 'j' in corpus/
//
// The first byte is the kind of the rest: 'j' a tokenizer.json, 'v' a vocab.txt, anything else a text,
// its bits the settings.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.h"
#include "text/wordpiece.h"

namespace {

using mbrt::text::Encoding;
using mbrt::text::Settings;
using mbrt::text::Tokenizer;
using mbrt::text::WordPiece;

void require(bool holds) {
  if (!holds) std::abort();
}

void check(const Tokenizer& tokenizer, std::string_view text) {
  const Encoding e = tokenizer.encode({text, {}}, true);
  for (const auto* column : {&e.types, &e.word}) require(column->size() == e.size());
  for (const auto* column : {&e.begin, &e.end}) require(column->size() == e.size());
  for (std::size_t i = 0; i < e.size(); ++i) {
    require(e.begin[i] <= e.end[i] && e.end[i] <= text.size());
    require(e.word[i] == -1 || e.word[i] == e.word[i - 1] || e.word[i] == e.word[i - 1] + 1);
  }
  const std::size_t half = text.size() / 2;
  const Encoding pair = tokenizer.encode({text.substr(0, half), text.substr(half)}, false);
  require(pair.size() >= 3 && pair.begin.empty());
}

constexpr char kPieces[] =
    "[UNK]\n[CLS]\n[SEP]\n[MASK]\na\n##b\nab\n##ba\n\xC3\xA9\n##e\n\xE4\xB8\x80\n\xE1\x84\x80\n"
    "##\xE1\x85\xA1\n##\xCC\x81\n.\n";

void check_text(unsigned settings_bits, std::string_view text) {
  Settings settings;
  settings.clean_text = (settings_bits & 1) != 0;
  settings.handle_chinese_chars = (settings_bits & 2) != 0;
  settings.lowercase = (settings_bits & 4) != 0;
  if ((settings_bits & 8) != 0) settings.strip_accents = (settings_bits & 16) != 0;
  settings.max_word_chars = settings_bits & 32 ? 100 : 5;
  check(*WordPiece::from_vocabulary(kPieces, settings), text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    if (data[0] == 'j') {
      check(*WordPiece::from_json(rest), "ab\xC3\xA9 [MASK] \xE4\xB8\x80.");
    } else if (data[0] == 'v') {
      check(*WordPiece::from_vocabulary(rest, Settings{}), "ab\xC3\xA9 [MASK] \xE4\xB8\x80.");
    } else {
      check_text(data[0], rest);
    }
  } catch (const mbrt::Error&) {
  }
  return 0;
}
