// mbrt embed: texts to vectors.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>

#include "base/error.h"
#include "base/path_kind.h"
#include "base/streams.h"
#include "model/message.h"
#include "tasks/embedder.h"
#include "tools/commands.h"

namespace mbrt::tools {
namespace {

Embedder make_embedder(const Arguments& arguments, const Program& program) {
  EmbedderOptions options;
  static_cast<TaskOptions&>(options) = task_options(arguments);
  if (const std::optional<std::string> modes = arguments.text("--pooling")) {
    options.pooling = parse_pooling(*modes);
    if (options.pooling->empty()) {
      throw UsageError("--pooling: found '" + *modes + "'; expected " + kPoolingNames);
    }
  }
  options.prompt = arguments.text("--prompt");
  options.prompt_name = arguments.text("--prompt-name");
  options.truncate_dim = arguments.count("--truncate-dim", 1);
  const bool yes = arguments.has("--normalize"), no = arguments.has("--no-normalize");
  if (yes && no) throw UsageError("--normalize: found --no-normalize too. Give one of the two.");
  if (yes || no) options.normalize = yes;
  return Embedder(load_model(arguments, program), options);
}

// numpy's format 1.0: a description of the array padded to 64 bytes, then the little-endian numbers.
void write_array(const std::string& path, const std::vector<float>& values, std::size_t width) {
  std::string header = formatted("{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }",
                                 values.size() / width, width);
  constexpr std::size_t kPrefix = 10, kUnit = 64;
  while ((kPrefix + header.size() + 1) % kUnit != 0) header += ' ';
  header += '\n';
  const std::string start = std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) +
                            static_cast<char>(header.size() >> 8) + header;
  std::FILE* const file = open_stream(path, "wb");
  bool written = file != nullptr &&
                 std::fwrite(start.data(), 1, start.size(), file) == start.size() &&
                 std::fwrite(values.data(), sizeof(float), values.size(), file) == values.size();
  const int cause = errno;
  if (file != nullptr && std::fclose(file) != 0) written = false;
  if (!written) throw InputError(path + ": cannot write: " + std::strerror(cause) + ".");
}

// After an error the array has the rows before it. A text that is skipped has a row of NaN.
void write_embeddings(TextSource& source, const Arguments& arguments, const Embedder& embedder,
                      const std::string& path) {
  const std::size_t width = embedder.dimension();
  std::vector<float> rows;
  try {
    run_over(
        source, arguments,
        [&](const Inputs&, const Texts& texts, const RunOptions& options) {
          const std::vector<float> vectors = embedder.embed(texts, options);
          rows.insert(rows.end(), vectors.begin(), vectors.end());
          return ResultOf();
        },
        [&] { rows.resize(rows.size() + width, std::numeric_limits<float>::quiet_NaN()); });
  } catch (...) {
    if (!rows.empty()) {
      write_array(path, rows, width);
      std::fprintf(stderr, "mbrt: %s: wrote the %s texts before the error\n", path.c_str(),
                   thousands(rows.size() / width).c_str());
    }
    throw;
  }
  write_array(path, rows, width);
}

// --output; InputError when the file exists and --force is not given.
std::optional<std::string> output_of(const Arguments& arguments) {
  const std::optional<std::string> path = arguments.text("--output");
  if (path && !arguments.has("--force") && path_kind(*path) == PathKind::kFile) {
    throw InputError(*path + ": exists already. --force replaces it.");
  }
  return path;
}

void run(const Arguments& arguments, const Program& program) {
  const std::optional<std::string> output = output_of(arguments);
  TextSource source(arguments, false);
  const Embedder embedder = make_embedder(arguments, program);
  const std::size_t width = embedder.dimension();
  if (output) return write_embeddings(source, arguments, embedder, *output);
  run_over(source, arguments,
           [&](const Inputs& inputs, const Texts& texts, const RunOptions& options) -> ResultOf {
             return [&inputs, width, vectors = embedder.embed(texts, options)](std::size_t i) {
               const float* const vector = vectors.data() + i * width;
               return Json::Object{{"text", inputs[i].first},
                                   {"embedding", Json::Array(vector, vector + width)}};
             };
           });
}

constexpr Option kOptions[] = {
    kFile,
    {"--pooling", 0, "MODE", "how the vectors of the tokens become one: mean, cls, max, ..."},
    {"--prompt", 0, "TEXT", "put before each text, such as \"query: \""},
    {"--prompt-name", 0, "NAME", "one of the prompts in the model file"},
    {"--truncate-dim", 0, "N", "keep only the first dimensions"},
    {"--normalize", 0, "", "scale the vectors to length 1, after --truncate-dim"},
    {"--no-normalize", 0, "", "do not scale them"},
    {"--output", 'o', "FILE.npy", "write a float32 array [texts, width] for numpy"},
    {"--force", 0, "", "replace FILE.npy if it exists"},
    {"--json", 0, "", "one JSON object per line: {\"text\", \"embedding\"}"},
    kQuiet,
};
constexpr OptionGroup kGroups[] = {kModelGroup, kLimitGroup, {"texts and output", kOptions}};

}  // namespace

const Command kEmbed{
    .name = "embed",
    .summary = "turn texts into vectors",
    .about =
        "Turn each text into a vector. Pooling, normalisation, prompt and limits default to the "
        "settings of the\nmodel's sentence-transformers folder, else to the mean over the tokens. "
        "Longer texts are cut.",
    .words = "MODEL [TEXT ...]",
    .needs_no_head = true,
    .groups = kGroups,
    .examples =
        "mbrt embed default \"a query\" \"a passage\" --json\n"
        "mbrt embed minilm.safetensors --file passages.txt --output passages.npy",
    .run = run,
};

}  // namespace mbrt::tools
