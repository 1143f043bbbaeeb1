// libFuzzer target of the tokenizer: any tokenizer file gives an error or a tokenizer, and any text
// gives pieces with offsets inside the text.
//
//   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -Icsrc
//   tests/fuzz/fuzz_tokenizer.cc csrc/text/*.cc csrc/model/json.cc \
//       csrc/model/message.cc csrc/base/thread_pool.cc -o fuzz_tokenizer
//   ./fuzz_tokenizer corpus/        with a small tokenizer.json after a byte 'j' in corpus/
//
// The first byte is the kind of the rest: 'j' a tokenizer.json, 'v' a vocab.txt, 'c' a
// tokenizer_config.json, 'm' a special_tokens_map.json, 'a' an added_tokens.json, anything else a text, its
// bits the settings.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error.h"
#include "text/core.h"
#include "text/tokenizer_config.h"

namespace {

using mbrt::text::ConfigFiles;
using mbrt::text::Encoding;
using mbrt::text::Settings;
using mbrt::text::Tokenizer;
using mbrt::text::TokenizerConfig;
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

std::shared_ptr<const WordPiece> from_vocabulary(std::string_view pieces,
                                                 const std::optional<Settings>& settings,
                                                 const ConfigFiles& files) {
  TokenizerConfig config = mbrt::text::read_tokenizer_config(files, false, "fuzz");
  if (settings) config.settings = *settings;
  auto description = mbrt::text::read_vocabulary(pieces, config.settings, "fuzz");
  mbrt::text::combine(config, false, "fuzz", &description);
  return WordPiece::make(std::move(description), "fuzz");
}

void check_text(unsigned settings_bits, std::string_view text) {
  Settings settings;
  settings.clean_text = (settings_bits & 1) != 0;
  settings.handle_chinese_chars = (settings_bits & 2) != 0;
  settings.lowercase = (settings_bits & 4) != 0;
  if ((settings_bits & 8) != 0) settings.strip_accents = (settings_bits & 16) != 0;
  settings.max_word_chars = settings_bits & 32 ? 100 : 5;
  check(*from_vocabulary(kPieces, settings, {}), text);
}

constexpr char kText[] = "ab\xC3\xA9 [MASK] \xE4\xB8\x80.";

// A small file beside the vocabulary.
void check_config(char kind, const std::string& file) {
  ConfigFiles files;
  (kind == 'c'   ? files.tokenizer_config
   : kind == 'm' ? files.special_tokens_map
                 : files.added_tokens) = &file;
  check(*from_vocabulary(kPieces, std::nullopt, files), kText);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    if (data[0] == 'j') {
      check(*WordPiece::make(mbrt::text::read_tokenizer_json(rest, "fuzz"), "fuzz"), kText);
    } else if (data[0] == 'v') {
      check(*from_vocabulary(rest, std::nullopt, {}), kText);
    } else if (data[0] == 'c' || data[0] == 'm' || data[0] == 'a') {
      check_config(static_cast<char>(data[0]), std::string(rest));
    } else {
      check_text(data[0], rest);
    }
  } catch (const mbrt::Error&) {
  }
  return 0;
}
