// The commands, and what the text commands share.
#ifndef MBRT_TOOLS_COMMANDS_H_
#define MBRT_TOOLS_COMMANDS_H_

#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tools/arguments.h"
#include "tools/input.h"
#include "tools/json.h"
#include "tools/options.h"
#include "tools/output.h"
#include "tools/program.h"

namespace mbrt::tools {

extern const Command kEmbed, kClassify, kZeroShot, kRank, kTag, kAnswer, kFill, kBench, kInfo;
inline constexpr const Command* kCommands[] = {&kEmbed,  &kClassify, &kZeroShot, &kRank, &kTag,
                                               &kAnswer, &kFill,     &kBench,    &kInfo};

// `mbrt --help`. others: names and summaries of the program's own commands. examples: one per line.
std::string overview(const std::vector<std::pair<std::string, std::string>>& others,
                     const std::string& examples);

// Runs the command with the words behind its name, and prints its results or its help. Throws
// UsageError, Error and BrokenPipe.
void run_command(const Command& command, std::span<const std::string> words,
                 const Program& program);

// This program, this machine and the number of threads: `info`, and the head of `bench --json`.
Json::Object describe_machine(const Program& program);
std::string cpu_name();

// What `compute` returns for each item, as a JSON array.
template <typename Items, typename Compute>
Json::Array array_of(const Items& items, const Compute& compute) {
  Json::Array values;
  for (const auto& item : items) values.emplace_back(compute(item));
  return values;
}

using Inputs = std::vector<Input>;
using Texts = std::vector<Text>;
// The result of input i as a JSON object: the input, then a list.
using ResultOf = std::function<Json::Object(std::size_t)>;
// Runs the task over a group of inputs, whose texts are given too. Null: there is nothing to print.
using Compute = std::function<ResultOf(const Inputs&, const Texts&, const RunOptions&)>;

// Runs a task over the inputs of a command, group by group, and prints the results: with --json one
// object per line, else one line per entry of its list, with the number of the input.
//
// An input at fault ends the command with an InputError that names it, after the results of those before
// it. With --on-error skip it is reported and left out: skipped() is called in its place.
void run_over(TextSource& source, const Arguments& arguments, const Compute& compute,
              const std::function<void()>& skipped = {});

// json_of(input, result) for each input.
template <typename Result, typename JsonOf>
ResultOf each(const Inputs& inputs, std::vector<Result> results, const JsonOf& json_of) {
  return [&inputs, results = std::move(results), json_of](std::size_t i) {
    return json_of(inputs[i], results[i]);
  };
}

}  // namespace mbrt::tools

#endif  // MBRT_TOOLS_COMMANDS_H_
