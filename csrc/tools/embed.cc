// mbrt embed: texts to vectors.
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "base/error.h"
#include "tasks/embedder.h"
#include "tools/commands.h"
#include "tools/options.h"

namespace mbrt::tools {
namespace {

void configure(Arguments& arguments) {
  add_model(arguments);
  add_texts(arguments);
  add_text_limits(arguments, "what the model's folder said, or all it takes");
  arguments.option("--pooling", 0, "MODE", "how tokens become one vector", {"mean", "cls"});
  arguments.flag("--normalize", 0, "scale vectors to length 1");
  arguments.flag("--no-normalize", 0, "leave them as they are");
  arguments.option("--output", 'o', "FILE.npy", "write a float32 array [texts, width] for numpy");
  add_json(arguments, "a JSON object a line: {\"text\", \"embedding\"}");
  add_quiet(arguments);
  arguments.example("mbrt embed minilm.safetensors \"a query\" \"a passage\" --json");
  arguments.example("mbrt embed minilm.safetensors --file passages.txt --output passages.npy");
}

Embedder make_embedder(const Arguments& arguments) {
  EmbedderOptions options;
  set_limits(arguments, &options);
  if (const std::optional<std::string> mode = arguments.value("--pooling")) {
    options.pooling = *mode == "cls" ? PoolingMode::kCls : PoolingMode::kMean;
  }
  options.normalize = arguments.either("--normalize", "--no-normalize");
  return Embedder(load_model(arguments), options);
}

// Format 1.0 of numpy's files: a text that describes the array, filled up to 64 bytes, then the
// numbers, little-endian as every machine is that this runs on.
void write_array(const std::string& path, const std::vector<float>& values, std::size_t width) {
  std::string header = formatted("{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }",
                                 values.size() / width, width);
  constexpr std::size_t kBefore = 10, kUnit = 64;
  while ((kBefore + header.size() + 1) % kUnit != 0) header += ' ';
  header += '\n';
  const std::string start = std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) +
                            static_cast<char>(header.size() >> 8) + header;
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  bool written = file != nullptr &&
                 std::fwrite(start.data(), 1, start.size(), file) == start.size() &&
                 std::fwrite(values.data(), sizeof(float), values.size(), file) == values.size();
  const int cause = errno;
  if (file != nullptr && std::fclose(file) != 0) written = false;
  if (!written) throw InputError(path + ": cannot be written: " + std::strerror(cause));
}

void show(const Input& input, const float* vector, std::size_t width, bool as_json) {
  if (as_json) {
    JsonWriter json;
    json.begin_object().key("text").string(input.first).key("embedding").begin_array();
    for (std::size_t i = 0; i < width; ++i) json.nine_digits(static_cast<double>(vector[i]));
    return print(json.end_array().end_object().text() + "\n");
  }
  std::string line = "[";
  double squares = 0;
  for (std::size_t i = 0; i < width; ++i) {
    const auto x = static_cast<double>(vector[i]);
    constexpr std::size_t kShown = 4;
    if (i < kShown) line += formatted("%+.4f ", x);
    squares += x * x;
  }
  print(line + formatted("...] width %zu, length %.4g  ", width, std::sqrt(squares)) +
        one_line(input.first) + "\n");
}

void run(const Arguments& arguments) {
  TextSource source(arguments, false);
  const Embedder embedder = make_embedder(arguments);
  const RunOptions options = run_options(arguments);
  const std::size_t width = embedder.dimension();
  const std::optional<std::string> output = arguments.value("--output");
  const bool as_json = arguments.has("--json");
  std::vector<float> all;
  run_over(
      source, options, arguments.has("--quiet"),
      [&](const std::vector<Text>& texts, const RunOptions& run) {
        const std::vector<float> vectors = embedder.embed(texts, run);
        std::vector<std::vector<float>> rows;
        for (std::size_t i = 0; i < vectors.size(); i += width) {
          const auto from = vectors.begin() + static_cast<std::ptrdiff_t>(i);
          rows.emplace_back(from, from + static_cast<std::ptrdiff_t>(width));
        }
        return rows;
      },
      [&](std::size_t, const Input& input, const std::vector<float>& vector) {
        if (output) {
          all.insert(all.end(), vector.begin(), vector.end());
        } else {
          show(input, vector.data(), width, as_json);
        }
      });
  if (output) write_array(*output, all, width);
}

}  // namespace

const Command kEmbed{"embed", "turn texts into vectors",
                     "Turn texts into vectors, one a text.\n\nPooling and normalisation are what "
                     "the model's sentence-transformers folder said; else the\nmean of all tokens.",
                     configure, run};

}  // namespace mbrt::tools
