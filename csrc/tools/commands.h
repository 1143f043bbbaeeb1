// The commands of `mbrt`: each fills in its options, and runs.
#ifndef MBRT_TOOLS_COMMANDS_H_
#define MBRT_TOOLS_COMMANDS_H_

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "tasks/task.h"
#include "tools/arguments.h"
#include "tools/json_writer.h"
#include "tools/progress.h"
#include "tools/streams.h"

namespace mbrt::tools {

struct Command {
  const char* name;
  const char* summary;
  const char* about;  // what its --help says first
  void (*configure)(Arguments& arguments);
  void (*run)(const Arguments& arguments);
};

extern const Command kInfo, kEmbed, kClassify, kTag, kAnswer, kFill, kBench;

// Runs a task over the texts of a command, group by group: run(texts, options) makes a group's
// results, show(number of the input from 0, input, result) prints one of them.
template <typename Run, typename Show>
void run_over(TextSource& source, RunOptions options, bool quiet, const Run& run,
              const Show& show) {
  Progress progress(source.total(), "texts", quiet);
  options.progress = [&](std::size_t texts) { progress.update(texts); };
  for (std::vector<Input> group; !(group = source.next_group()).empty();) {
    const auto results = run(texts_of(group), options);
    progress.clear();
    for (std::size_t i = 0; i < group.size(); ++i) {
      show(options.first_index + i, group[i], results[i]);
    }
    flush();
    options.first_index += group.size();
  }
}

// "text": the input's, or its two texts in an array; then a caller's own key follows.
void write_text(JsonWriter& json, const Input& input);

// This program, this machine, and what sets the number of threads: what `info` prints and `bench`
// begins with.
void write_machine(JsonWriter& json);
std::string cpu_name();

}  // namespace mbrt::tools

#endif  // MBRT_TOOLS_COMMANDS_H_
