// The commands of the native `mbrt`, and what the text commands share.
#ifndef MBRT_TOOLS_COMMANDS_H_
#define MBRT_TOOLS_COMMANDS_H_

#include <string>
#include <vector>

#include "tools/arguments.h"
#include "tools/input.h"
#include "tools/json.h"
#include "tools/options.h"
#include "tools/output.h"
#include "tools/progress.h"

namespace mbrt::tools {

extern const Command kEmbed, kClassify, kTag, kAnswer, kFill, kBench, kInfo;

// This program, this machine and the number of threads: `info`, and the head of `bench --json`.
Json::Object describe_machine();
std::string cpu_name();

// What `compute` returns for each item, as a JSON array.
template <typename Items, typename Compute>
Json::Array array_of(const Items& items, const Compute& compute) {
  Json::Array values;
  for (const auto& item : items) values.emplace_back(compute(item));
  return values;
}

// The output for one input: with --json the result, whose members are the input and a list; else one
// line per member of the list, with the number of the input (from 0) before it.
void print_result(const Arguments& arguments, std::size_t number, const Json::Object& result);

// Runs a task over the inputs of a command, group by group. compute(texts, options) returns the
// results of a group; show(number of the input from 0, input, result) prints one result.
template <typename Compute, typename Show>
void run_over(TextSource& source, const Arguments& arguments, const Compute& compute,
              const Show& show) {
  RunOptions options = run_options(arguments);
  Progress progress(source.total(), "texts", arguments.has("--quiet"));
  options.progress = [&](std::size_t texts) { progress.update(texts); };
  for (std::vector<Input> group; !(group = source.next_group()).empty();) {
    std::vector<Text> texts;
    for (const Input& input : group) texts.push_back({input.first, input.second});
    const auto results = compute(texts, options);
    progress.clear();
    for (const auto& result : results) {
      show(options.first_index, group[static_cast<std::size_t>(&result - results.data())], result);
      ++options.first_index;
    }
    flush();
  }
}

}  // namespace mbrt::tools

#endif  // MBRT_TOOLS_COMMANDS_H_
