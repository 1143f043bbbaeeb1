#include "tools/options.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/thread_pool.h"
#include "tools/interrupt.h"

namespace mbrt::tools {
namespace {

// The value, or nothing when the option was not given. InputError when it is below `least`.
std::optional<std::size_t> at_least(const Arguments& arguments, const std::string& name,
                                    std::int64_t least) {
  const std::optional<std::int64_t> value = arguments.integer(name);
  if (!value) return std::nullopt;
  if (*value < least) {
    throw InputError(name + " is " + std::to_string(*value) + "; it should be " +
                     (least == 0 ? "0 or more." : "at least 1."));
  }
  return static_cast<std::size_t>(*value);
}

}  // namespace

void add_model(Arguments& arguments) {
  arguments.positional("MODEL", Arguments::Count::kOne, "a model file, written by `mbrt convert`");
  arguments.group("model");
  arguments.option("--precision", 0, "NAME", "what the file must have been written with",
                   {"int8", "fp32"});
  arguments.option("--threads", 0, "N", "threads (default: what this process may use)");
  arguments.option("--isa", 0, "NAME", "kernel set, one of those that `mbrt info` lists");
  arguments.option("--timeout", 0, "SECONDS", "stop when it takes longer (default: never)");
}

void add_texts(Arguments& arguments) {
  arguments.positional("TEXT", Arguments::Count::kAny, "or --file, or lines on standard input");
  arguments.option("--file", 'f', "PATH",
                   "read a text from each line, blank ones too; - is standard input");
}

void add_text_limits(Arguments& arguments, const std::string& longest) {
  arguments.group("long texts and batches");
  arguments.option("--on-overflow", 0, "POLICY",
                   "a text longer than the model takes: stop, keep the beginning, or read it in "
                   "windows",
                   {"error", "truncate", "stride"});
  arguments.option("--max-length", 0, "N", "tokens of a text (default: " + longest + ")");
  arguments.option("--stride", 0, "N",
                   "tokens that neighbouring windows share, half a window at most");
  arguments.option("--max-batch-tokens", 0, "N", "tokens run at once (default: 4096)");
  add_tokenizer(arguments);
  arguments.group("output");
}

void add_tokenizer(Arguments& arguments) {
  arguments.option("--tokenizer", 0, "PATH", "tokenizer.json or vocab.txt, if the model has none");
}

void add_json(Arguments& arguments, const std::string& what) { arguments.flag("--json", 0, what); }

void add_quiet(Arguments& arguments) {
  arguments.flag("--quiet", 'q', "no progress line on the terminal");
}

const char* precision_name(const ModelConfig& config) {
  return config.precision == Precision::kInt8 ? "int8" : "fp32";
}

std::shared_ptr<const Encoder> load_encoder(const std::string& path, const Arguments& arguments) {
  const std::optional<std::string> isa = arguments.value("--isa");
  const KernelSet& kernels = isa ? kernel_set(*isa) : default_kernel_set();
  struct stat status;
  const bool is_there = stat(path.c_str(), &status) == 0;
  if (!is_there && path == "default") {
    throw InputError(
        "default: this program brings no model. The Python package does: give the file that its "
        "default_model_path() names.");
  }
  if (is_there && S_ISDIR(status.st_mode)) {
    throw InputError(path +
                     " is a folder; this program reads model files. Write one with the Python "
                     "package's `mbrt convert " +
                     path + " model.safetensors`.");
  }
  auto encoder = std::make_shared<const Encoder>(ModelFile::open(path), kernels);
  const std::optional<std::string> precision = arguments.value("--precision");
  const char* const written = precision_name(encoder->config());
  if (precision && *precision != written) {
    throw InputError(path + " was written as " + written +
                     "; leave precision out, or convert the original folder again with `mbrt "
                     "convert --precision " +
                     *precision + "`");
  }
  return encoder;
}

std::shared_ptr<const TextModel> load_model(const Arguments& arguments) {
  const std::string& path = arguments.first();
  std::shared_ptr<const Encoder> encoder = load_encoder(path, arguments);
  const std::optional<std::string> tokenizer = arguments.value("--tokenizer");
  return tokenizer ? std::make_shared<const TextModel>(encoder, path, tokenizer_at(*tokenizer))
                   : std::make_shared<const TextModel>(encoder, path);
}

void set_limits(const Arguments& arguments, TaskOptions* options) {
  options->max_length = at_least(arguments, "--max-length", 1);
  options->stride = at_least(arguments, "--stride", 0);
  options->max_batch_tokens = positive(arguments, "--max-batch-tokens", options->max_batch_tokens);
  const std::optional<std::string> policy = arguments.value("--on-overflow");
  if (!policy) return;
  options->on_overflow = *policy == "truncate" ? OnOverflow::kTruncate
                         : *policy == "stride" ? OnOverflow::kStride
                                               : OnOverflow::kError;
}

RunOptions run_options(const Arguments& arguments) {
  RunOptions run;
  const std::optional<std::int64_t> threads = arguments.integer("--threads");
  if (threads && (*threads < 1 || *threads > static_cast<std::int64_t>(kMaxThreads))) {
    throw InputError("--threads is " + std::to_string(*threads) +
                     "; give a whole number from 1 to 256.");
  }
  run.threads = threads ? static_cast<std::size_t>(*threads) : 0;
  run.control.cancelled = &interrupted();
  if (const std::optional<double> seconds = arguments.number("--timeout")) {
    using Clock = std::chrono::steady_clock;
    constexpr double kForever = 1e9;  // thirty years: more than the clock can count is no limit
    const std::chrono::duration<double> wait(std::clamp(*seconds, 0.0, kForever));
    run.control.deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(wait);
  }
  return run;
}

std::size_t positive(const Arguments& arguments, const std::string& name, std::size_t otherwise) {
  return at_least(arguments, name, 1).value_or(otherwise);
}

}  // namespace mbrt::tools
