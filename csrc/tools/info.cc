// mbrt info: this program and this machine.
#include <utility>

#include "base/cpu_count.h"
#include "base/environment.h"
#include "base/error.h"
#include "base/process.h"
#include "kernels/kernels.h"
#include "tools/commands.h"

namespace mbrt::tools {
namespace {

// What `describe` returns, or the text of its error.
template <typename Describe>
Json or_error(const Describe& describe) {
  try {
    return describe();
  } catch (const InputError& error) {
    return std::string("error: ") + error.what();
  }
}

// "avx2, scalar" and "logical 8, usable 4" for people.
std::string text_of(const Json& json) {
  const auto join = [](const auto& items, const auto& text) {
    std::string joined;
    for (const auto& item : items) joined += (joined.empty() ? "" : ", ") + text(item);
    return joined.empty() ? "-" : joined;
  };
  if (const auto* text = std::get_if<std::string>(&json.value)) return *text;
  if (const auto* values = std::get_if<Json::Array>(&json.value)) return join(*values, text_of);
  if (const auto* members = std::get_if<Json::Object>(&json.value)) {
    return join(*members,
                [](const auto& member) { return member.first + " " + text_of(member.second); });
  }
  return json.text();
}

void run(const Arguments& arguments, const Program& program) {
  const Json::Object machine = describe_machine(program);
  if (arguments.has("--json")) return print(Json(machine).text() + "\n");
  for (const auto& [name, value] : machine) print(padded(name, 12) + text_of(value) + "\n");
}

constexpr Option kOptions[] = {{"--json", 0, "", "one JSON object"}};
constexpr OptionGroup kGroups[] = {{"output", kOptions}};

}  // namespace

std::string cpu_name() { return one_line(processor_name()); }

Json::Object describe_machine(const Program& program) {
  const Json::Object threads{{"logical", logical_processors()},
                             {"usable", usable_cores()},
                             {"default", or_error([] { return default_thread_count(); })}};
  Json::Object environment;
  for (const char* name :
       {"MBRT_ISA", "MBRT_NUM_THREADS", "OMP_NUM_THREADS", "TOKENIZERS_PARALLELISM"}) {
    if (const char* const value = environment_variable(name)) environment.emplace_back(name, value);
  }
  Json::Object machine{
      {"version", MBRT_VERSION},
      {"platform", system_name()},
      {"cpu", cpu_name()},
      {"isa", or_error([] { return default_kernel_set().isa; })},
      {"isas", array_of(available_kernel_sets(), [](const KernelSet* set) { return set->isa; })},
      {"threads", threads},
      {"environment", environment},
  };
  if (program.facts) {
    for (auto& fact : program.facts()) machine.push_back(std::move(fact));
  }
  return machine;
}

const Command kInfo{
    .name = "info",
    .summary = "show this program and this machine, for reports",
    .about =
        "Show this program and this machine, as a bug report should. It names no user and no "
        "host.",
    .words = "",
    .groups = kGroups,
    .examples = "mbrt info --json",
    .run = run,
};

}  // namespace mbrt::tools
