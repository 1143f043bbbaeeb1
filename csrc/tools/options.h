// Options that several commands share, and what they become.
#ifndef MBRT_TOOLS_OPTIONS_H_
#define MBRT_TOOLS_OPTIONS_H_

#include <memory>
#include <string>

#include "tasks/task.h"
#include "tools/arguments.h"
#include "tools/program.h"

namespace mbrt::tools {

inline constexpr Option kPrecision{"--precision", 0, "int8|fp32",
                                   "what a folder is converted to (default: int8); else what the "
                                   "file must have"};
inline constexpr Option kIsa{"--isa", 0, "NAME", "kernel set, one of those `mbrt info` lists"};
inline constexpr Option kTokenizer{"--tokenizer", 0, "PATH",
                                   "tokenizer.json or vocab.txt, instead of the model's own"};
inline constexpr Option kFile{"--file", 'f', "PATH",
                              "read one text per line, blank lines too; - is standard input"};
inline constexpr Option kQuiet{"--quiet", 'q', "", "no progress line on the terminal"};

inline constexpr Option kModelOptions[] = {
    kPrecision,
    {"--threads", 0, "N", "maximum number of threads (default: all usable cores)"},
    kIsa,
    {"--timeout", 0, "SECONDS", "fail when the command takes longer (default: never)"},
};

inline constexpr Option kLimitOptions[] = {
    {"--on-overflow", 0, "error|truncate|stride",
     "a text that is too long: fail, cut it, or read it in windows (default: error; embed: "
     "truncate)"},
    {"--max-length", 0, "N", "maximum tokens per text (default: the model's; answer: 384)"},
    {"--stride", 0, "N",
     "tokens that adjacent windows share, at most half a window; answer: 15/16"},
    {"--max-batch-tokens", 0, "N", "maximum tokens per batch (default: 4096)"},
    {"--on-error", 0, "stop|skip",
     "a text that is too long or cannot be read: stop (default), or leave it out"},
    kTokenizer,
};

// The first two groups of every text command.
inline constexpr OptionGroup kModelGroup{"model", kModelOptions};
inline constexpr OptionGroup kLimitGroup{"long texts and batches", kLimitOptions};

// The encoder with the tokenizer of its file or of --tokenizer.
std::shared_ptr<const TextModel> load_text_model(const std::shared_ptr<const Encoder>& encoder,
                                                 const Arguments& arguments,
                                                 const Program& program);
// The same for the model of --precision and --isa.
std::shared_ptr<const TextModel> load_model(const Arguments& arguments, const Program& program);

// "int8" or "fp32".
const char* precision_name(const ModelConfig& config);

// The values of kLimitOptions.
TaskOptions task_options(const Arguments& arguments);

// --threads, --timeout (from now on), and Ctrl-C.
RunOptions run_options(const Arguments& arguments);

}  // namespace mbrt::tools

#endif  // MBRT_TOOLS_OPTIONS_H_
