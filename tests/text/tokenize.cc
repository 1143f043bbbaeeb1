// The tokenizer as a filter, for tests/text/native_tokenizer.py: tokenizer file and texts in,
// encodings out, all in binary. A fault of the file is printed with its name; the exit code is 2.
//
//   tokenize json tokenizer.json < texts > encodings
//   tokenize vocab vocab.txt [cased] < texts > encodings
//   tokenize folder FOLDER < texts > encodings
//   tokenize time tokenizer.json rounds < texts           nanoseconds of each round over all texts
//
// A text: uint32 size, pair's size (0xFFFFFFFF: no pair), then the bytes of both. An encoding: uint32 count, then six arrays of count int32: ids,
// types, begin, end, part, word. All little-endian.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/error.h"
#include "support/platform.h"
#include "tasks/vocabulary.h"
#include "text/core.h"
#include "text/tokenizer_config.h"

namespace {

using mbrt::text::Encoding;
using mbrt::text::Tokenizer;
using mbrt::text::TokenizerConfig;
using mbrt::text::WordPiece;

constexpr std::uint32_t kNone = 0xFFFFFFFF;

struct Text {
  std::string first;
  std::optional<std::string> second;
};

bool read_bytes(void* to, std::size_t size) { return std::fread(to, 1, size, stdin) == size; }

std::string read_string(std::uint32_t size) {
  std::string out(size, '\0');
  if (!read_bytes(out.data(), size)) throw std::runtime_error("the input ends within a text");
  return out;
}

bool read_text(Text* text) {
  std::uint32_t head[2];
  if (!read_bytes(head, sizeof(head))) return false;
  text->first = read_string(head[0]);
  text->second.reset();
  if (head[1] != kNone) text->second = read_string(head[1]);
  return true;
}

Encoding encode(const Tokenizer& tokenizer, const Text& text, bool offsets) {
  return tokenizer.encode({text.first, text.second}, offsets);
}

template <typename T>
void write(const std::vector<T>& values) {
  if (values.empty()) return;  // fwrite may not be given the null pointer of an empty vector
  std::vector<std::int32_t> out(values.begin(), values.end());
  std::fwrite(out.data(), sizeof(out[0]), out.size(), stdout);
}

// What must hold of every encoding, whatever the text is.
void check(const Text& text, const Encoding& e, const Encoding& without) {
  if (e.ids != without.ids || e.types != without.types || e.part != without.part ||
      e.word != without.word || !without.begin.empty() || !without.end.empty()) {
    throw std::runtime_error("offsets asked for change more than the offsets");
  }
  for (std::size_t i = 0; i < e.size(); ++i) {
    const std::size_t size = e.part[i] == 1 ? text.second->size() : text.first.size();
    if (e.begin[i] > e.end[i] || e.end[i] > size)
      throw std::runtime_error("an offset out of the text");
  }
}

void filter(const Tokenizer& tokenizer) {
  Text text;
  while (read_text(&text)) {
    const Encoding e = encode(tokenizer, text, true);
    check(text, e, encode(tokenizer, text, false));
    const auto count = static_cast<std::uint32_t>(e.size());
    std::fwrite(&count, sizeof(count), 1, stdout);
    write(e.ids);
    write(e.types);
    write(e.begin);
    write(e.end);
    write(e.part);
    write(e.word);
  }
}

void time_rounds(const Tokenizer& tokenizer, int rounds) {
  std::vector<Text> texts;
  for (Text text; read_text(&text);) texts.push_back(text);
  for (int i = 0; i < rounds; ++i) {
    std::size_t tokens = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (const Text& text : texts) {
      tokens += encode(tokenizer, text, false).size();
    }
    const std::chrono::nanoseconds spent = std::chrono::steady_clock::now() - begin;
    std::cout << spent.count() << ' ' << tokens << '\n';
  }
}

std::string read_file(const char* path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error(std::string("cannot read ") + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::shared_ptr<const WordPiece> from_json(const std::string& text) {
  constexpr char kSource[] = "tokenizer.json";
  return WordPiece::make(mbrt::text::read_tokenizer_json(text, kSource), kSource);
}

std::shared_ptr<const WordPiece> from_vocabulary(const std::string& text, bool lowercase) {
  constexpr char kSource[] = "vocab.txt";
  TokenizerConfig config = mbrt::text::read_tokenizer_config({}, false, kSource);
  config.settings.lowercase = lowercase;
  auto description = mbrt::text::read_vocabulary(text, config.settings, kSource);
  mbrt::text::combine(config, false, kSource, &description);
  return WordPiece::make(std::move(description), kSource);
}

int run(int argc, char** argv) {
  if (argc < 3)
    throw std::runtime_error("usage: tokenize json|vocab|folder|time PATH [cased|ROUNDS]");
  const std::string mode = argv[1];
  if (mode == "folder") {
    filter(*mbrt::tokenizer_at(argv[2]).tokenizer);
    return 0;
  }
  const std::string file = read_file(argv[2]);
  if (mode == "time") {
    time_rounds(*from_json(file), argc > 3 ? std::atoi(argv[3]) : 1);
  } else if (mode == "vocab") {
    filter(*from_vocabulary(file, argc < 4));
  } else {
    filter(*from_json(file));
  }
  return 0;
}

int fault(const char* name, const std::exception& error) {
  std::cerr << name << ": " << error.what() << '\n';
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  binary_streams();
  try {
    return run(argc, argv);
  } catch (const mbrt::ModelFormatError& error) {
    return fault("ModelFormatError", error);
  } catch (const mbrt::UnsupportedModelError& error) {
    return fault("UnsupportedModelError", error);
  } catch (const mbrt::InputError& error) {
    return fault("InputError", error);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
