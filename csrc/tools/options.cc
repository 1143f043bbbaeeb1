#include "tools/options.h"

#include <utility>

#include "base/interrupt.h"
#include "base/thread_pool.h"

namespace mbrt::tools {

const char* precision_name(const ModelConfig& config) {
  return config.precision == Precision::kInt8 ? "int8" : "fp32";
}

std::shared_ptr<const TextModel> load_text_model(const std::shared_ptr<const Encoder>& encoder,
                                                 const Arguments& arguments,
                                                 const Program& program) {
  const std::optional<std::string> tokenizer = arguments.text("--tokenizer");
  FoundTokenizer found = tokenizer ? tokenizer_at(*tokenizer, program.other_tokenizer)
                                   : tokenizer_of(encoder->file().metadata(), arguments.model(),
                                                  program.other_tokenizer);
  return std::make_shared<const TextModel>(encoder, arguments.model(), std::move(found));
}

std::shared_ptr<const TextModel> load_model(const Arguments& arguments, const Program& program) {
  const ModelRequest request{arguments.model(), arguments.text("--precision"),
                             arguments.text("--isa")};
  return load_text_model(program.load(request), arguments, program);
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
    run.control.deadline = deadline_in(*seconds);
  }
  return run;
}

}  // namespace mbrt::tools
