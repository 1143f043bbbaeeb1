#include "tools/commands.h"

#include <algorithm>

#include "tools/progress.h"

namespace mbrt::tools {
namespace {

std::string cell(const Json& json) {
  if (const auto* text = std::get_if<std::string>(&json.value)) return padded(one_line(*text), 12);
  if (const auto* number = std::get_if<double>(&json.value)) return formatted("%7.4f", *number);
  return json.text();
}

// One line per result behind the prefix. Lists in a list are numbered; a vector is shortened.
std::string lines_of(const std::string& prefix, const Json& results) {
  if (const auto* members = std::get_if<Json::Object>(&results.value)) {
    std::string line = prefix;
    for (const auto& [name, value] : *members) line += "  " + cell(value);
    return line + "\n";
  }
  const auto& values = std::get<Json::Array>(results.value);
  if (!values.empty() && std::holds_alternative<double>(values[0].value)) {
    std::string line = prefix;
    for (std::size_t i = 0; i < std::min<std::size_t>(values.size(), 4); ++i)
      line += "  " + cell(values[i]);
    return line + formatted("  ... (%zu numbers)\n", values.size());
  }
  std::string lines;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const bool is_list = std::holds_alternative<Json::Array>(values[i].value);
    lines += lines_of(is_list ? prefix + formatted("  %zu", i + 1) : prefix, values[i]);
  }
  return lines;
}

}  // namespace

std::string overview(const std::vector<std::pair<std::string, std::string>>& others,
                     const std::string& examples) {
  std::vector<std::pair<std::string, std::string>> commands;
  for (const Command* command : kCommands) commands.emplace_back(command->name, command->summary);
  commands.insert(commands.end(), others.begin(), others.end());
  std::string text =
      "usage: mbrt COMMAND ...\n\n"
      "MobileBERT and small BERT encoders on this CPU. Nothing is downloaded or reported.\n\n";
  for (const auto& [name, summary] : commands)
    text += "  " + padded(name, 8) + "  " + summary + "\n";
  return text + "\nexamples:\n" + examples +
         "\n`mbrt COMMAND --help` explains a command. Environment: MBRT_ISA, MBRT_NUM_THREADS.\n";
}

void run_command(const Command& command, std::span<const std::string> words,
                 const Program& program) {
  const Arguments arguments(command, words);
  if (arguments.wants_help()) {
    print(command.help());
  } else {
    command.run(arguments, program);
  }
  flush();
}

void run_over(TextSource& source, const Arguments& arguments, const Compute& compute) {
  RunOptions options = run_options(arguments);
  Progress progress(source.total(), "texts", arguments.has("--quiet"));
  options.progress = [&](std::size_t texts) { progress.update(texts); };
  for (Inputs group; !(group = source.next_group()).empty();) {
    Texts texts;
    for (const Input& input : group) texts.push_back({input.first, input.second});
    const ResultOf result_of = compute(group, texts, options);
    progress.clear();
    for (std::size_t i = 0; result_of && i < group.size(); ++i) {
      const Json::Object result = result_of(i);
      const std::string number = std::to_string(options.first_index + i + 1);
      print(arguments.has("--json") ? Json(result).text() + "\n"
                                    : lines_of(number, result.back().second));
    }
    options.first_index += group.size();
    flush();
  }
}

}  // namespace mbrt::tools
