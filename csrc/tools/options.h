// Options that several commands share, and what they become. The twin of
// mobilebert_rt/cli/options.py.
#ifndef MBRT_TOOLS_OPTIONS_H_
#define MBRT_TOOLS_OPTIONS_H_

#include <memory>
#include <string>

#include "tasks/task.h"
#include "tools/arguments.h"

namespace mbrt::tools {

void add_model(Arguments& arguments);
void add_texts(Arguments& arguments);
// longest: what --max-length is when it is not given.
void add_text_limits(Arguments& arguments, const std::string& longest = "all the model takes");
void add_tokenizer(Arguments& arguments);
void add_json(Arguments& arguments, const std::string& what);
void add_quiet(Arguments& arguments);

// The model file at the first argument, on the kernels of --isa. InputError also for a --precision
// that the file was not written with.
std::shared_ptr<const Encoder> load_encoder(const std::string& path, const Arguments& arguments);
std::shared_ptr<const TextModel> load_model(const Arguments& arguments);

// What the file says: "int8" or "fp32".
const char* precision_name(const ModelConfig& config);

// --on-overflow, --max-length, --stride and --max-batch-tokens, over the task's own defaults.
void set_limits(const Arguments& arguments, TaskOptions* options);

// --threads and --timeout (from now on), and Ctrl-C.
RunOptions run_options(const Arguments& arguments);

// The value of a whole-number option, or `otherwise`. InputError when it is below 1.
std::size_t positive(const Arguments& arguments, const std::string& name, std::size_t otherwise);

}  // namespace mbrt::tools

#endif  // MBRT_TOOLS_OPTIONS_H_
