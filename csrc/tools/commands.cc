#include "tools/commands.h"

#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "model/message.h"
#include "tools/progress.h"
#include "tools/wording.h"

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

// The inputs of a command on their way through its task.
class TextRun {
 public:
  TextRun(TextSource& source, const Arguments& arguments, const Compute& compute,
          const std::function<void()>& skipped)
      : source_(source),
        compute_(compute),
        skipped_(skipped),
        json_(arguments.has("--json")),
        skips_(arguments.text("--on-error") == "skip"),
        options_(run_options(arguments)),
        progress_(source.total(), "texts", arguments.has("--quiet")) {
    if (!arguments.has("--quiet") && !arguments.text("--on-overflow")) {
      options_.truncated = [this](std::size_t, std::size_t) { ++cut_; };
    }
    options_.progress = [this](std::size_t texts) { progress_.update(texts); };
  }

  void run() {
    for (Inputs group; !(group = source_.next_group()).empty();) {
      run_inputs(group, options_);
      options_.first_index += group.size();
      flush();
    }
    if (cut_ > 0) {
      progress_.clear();
      std::fprintf(
          stderr,
          "mbrt: texts cut because they are longer than the model reads: %s; --on-overflow "
          "chooses otherwise.\n",
          thousands(cut_).c_str());
    }
    if (count_ == 0) return;
    progress_.clear();
    std::fprintf(stderr, "mbrt: skipped %s of %s texts\n", thousands(count_).c_str(),
                 thousands(options_.first_index).c_str());
  }

 private:
  // Inputs that fail together are halved until the one at fault is alone.
  void run_inputs(const Inputs& inputs, RunOptions options) {
    const auto broken = [](const Input& input) { return input.problem.has_value(); };
    if (std::none_of(inputs.begin(), inputs.end(), broken)) {
      try {
        return print_results(inputs, options);
      } catch (const InputError& error) {
        if (inputs.size() == 1) return fail(inputs[0], options.first_index, error.what());
      }
    } else if (inputs.size() == 1) {
      return fail(inputs[0], options.first_index, *inputs[0].problem);
    }
    options.progress = {};  // of texts that are counted already
    const auto middle = inputs.begin() + static_cast<std::ptrdiff_t>(inputs.size() / 2);
    run_inputs({inputs.begin(), middle}, options);
    options.first_index += inputs.size() / 2;
    run_inputs({middle, inputs.end()}, options);
  }

  void print_results(const Inputs& inputs, const RunOptions& options) {
    Texts texts;
    for (const Input& input : inputs) texts.push_back({input.first, input.second});
    const ResultOf result_of = compute_(inputs, texts, options);
    progress_.clear();
    for (std::size_t i = 0; result_of && i < inputs.size(); ++i) {
      const Json::Object result = result_of(i);
      const std::string number = std::to_string(options.first_index + i + 1);
      print(json_ ? Json(result).text() + "\n" : lines_of(number, result.back().second));
    }
  }

  // message: of a task, which calls the input by its index, or without a subject.
  void fail(const Input& input, std::size_t index, const std::string& message) {
    const std::string name = "input " + std::to_string(index);
    const bool has_name = message.starts_with(name);
    const std::string problem =
        source_.where(index + 1) + (has_name ? message.substr(name.size()) : ": " + message);
    if (!skips_) {
      flush();
      throw InputError(problem);
    }
    progress_.clear();
    std::fprintf(stderr, "mbrt: %s Skipped.\n", on_command_line(problem).c_str());
    ++count_;
    if (skipped_) {
      skipped_();
    } else if (json_) {
      Json text = printable(input.first);
      if (input.second) text = Json::Array{text, printable(*input.second)};
      print(Json(Json::Object{{"text", text}, {"error", on_command_line(problem)}}).text() + "\n");
    }
  }

  TextSource& source_;
  const Compute& compute_;
  const std::function<void()>& skipped_;
  bool json_;
  bool skips_;
  RunOptions options_;
  Progress progress_;
  std::size_t count_ = 0;  // of skipped inputs
  std::size_t cut_ = 0;    // texts, unless that was asked for
};

}  // namespace

std::string overview(const std::vector<std::pair<std::string, std::string>>& others,
                     const std::string& examples) {
  std::vector<std::pair<std::string, std::string>> commands;
  for (const Command* command : kCommands) commands.emplace_back(command->name, command->summary);
  commands.insert(commands.end(), others.begin(), others.end());
  std::string text =
      "usage: mbrt COMMAND ...\n\n"
      "MobileBERT and small BERT encoders on this CPU. Nothing is downloaded unasked, nothing is "
      "reported.\n\n";
  for (const auto& [name, summary] : commands)
    text += "  " + padded(name, 9) + "  " + summary + "\n";
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

void run_over(TextSource& source, const Arguments& arguments, const Compute& compute,
              const std::function<void()>& skipped) {
  TextRun(source, arguments, compute, skipped).run();
}

}  // namespace mbrt::tools
