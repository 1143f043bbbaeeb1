#include "tools/options.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>

#include "base/error.h"
#include "base/thread_pool.h"
#include "tools/interrupt.h"

namespace mbrt::tools {

const char* precision_name(const ModelConfig& config) {
  return config.precision == Precision::kInt8 ? "int8" : "fp32";
}

std::shared_ptr<const Encoder> load_encoder(const Arguments& arguments) {
  const std::string& path = arguments.model();
  const std::optional<std::string> isa = arguments.text("--isa");
  const KernelSet& kernels = isa ? kernel_set(*isa) : default_kernel_set();
  struct stat status;
  const bool exists = stat(path.c_str(), &status) == 0;
  if (exists && S_ISDIR(status.st_mode)) {
    throw InputError(path +
                     ": found a folder; expected a model file. Write one with the Python "
                     "package: `mbrt convert " +
                     path + " model.safetensors`.");
  }
  if (path == "default" && !exists) {
    throw InputError(
        "default: the native program contains no model; expected a model file. The Python "
        "package's default_model_path() names one.");
  }
  auto encoder = std::make_shared<const Encoder>(ModelFile::open(path), kernels);
  const std::string found = precision_name(encoder->config());
  const std::string expected = arguments.text("--precision").value_or(found);
  if (found != expected) {
    throw InputError(path + ": found precision " + found + "; expected " + expected +
                     ". Convert the original folder with `mbrt convert --precision " + expected +
                     "`.");
  }
  return encoder;
}

std::shared_ptr<const TextModel> load_text_model(const std::shared_ptr<const Encoder>& encoder,
                                                 const Arguments& arguments) {
  const std::string& path = arguments.model();
  const std::optional<std::string> tokenizer = arguments.text("--tokenizer");
  return tokenizer ? std::make_shared<const TextModel>(encoder, path, tokenizer_at(*tokenizer))
                   : std::make_shared<const TextModel>(encoder, path);
}

std::shared_ptr<const TextModel> load_model(const Arguments& arguments) {
  return load_text_model(load_encoder(arguments), arguments);
}

TaskOptions task_options(const Arguments& arguments) {
  TaskOptions options;
  options.max_length = arguments.count("--max-length", 1);
  options.stride = arguments.count("--stride", 0);
  options.max_batch_tokens =
      arguments.count("--max-batch-tokens", 1).value_or(options.max_batch_tokens);
  if (const std::optional<std::string> policy = arguments.text("--on-overflow")) {
    options.on_overflow = *policy == "truncate" ? OnOverflow::kTruncate
                          : *policy == "stride" ? OnOverflow::kStride
                                                : OnOverflow::kError;
  }
  return options;
}

RunOptions run_options(const Arguments& arguments) {
  RunOptions run;
  run.threads = arguments.count("--threads", 1, kMaxThreads).value_or(0);
  run.control.cancelled = &interrupted();
  if (const std::optional<double> seconds = arguments.positive("--timeout")) {
    using Clock = std::chrono::steady_clock;
    constexpr double kForever = 1e9;  // thirty years; the clock cannot count much more
    const std::chrono::duration<double> wait(std::min(*seconds, kForever));
    run.control.deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(wait);
  }
  return run;
}

}  // namespace mbrt::tools
