// mbrt info: this program and this machine.
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#if defined(__linux__)
#include <sched.h>
#endif

#include "base/cpu_count.h"
#include "base/error.h"
#include "kernels/kernels.h"
#include "tools/commands.h"
#include "tools/options.h"

namespace mbrt::tools {
namespace {

constexpr const char* kVariables[] = {"MBRT_ISA", "MBRT_NUM_THREADS"};

void configure(Arguments& arguments) {
  add_json(arguments, "a JSON object");
  arguments.example("mbrt info --json");
}

std::string platform() {
  utsname name;
  if (uname(&name) != 0) return "unknown";
  return std::string(name.sysname) + " " + name.release + " " + name.machine;
}

// What `describe` returns, or the text of its error.
template <typename Describe>
std::string or_error(const Describe& describe) {
  try {
    return describe();
  } catch (const InputError& error) {
    return std::string("error: ") + error.what();
  }
}

// name, number of threads, or an error
std::vector<std::pair<std::string, std::string>> threads() {
  std::vector<std::pair<std::string, std::string>> found;
  found.emplace_back("logical", std::to_string(std::max(sysconf(_SC_NPROCESSORS_ONLN), 1L)));
#if defined(__linux__)
  cpu_set_t mask;
  if (sched_getaffinity(0, sizeof(mask), &mask) == 0) {
    found.emplace_back("allowed", std::to_string(CPU_COUNT(&mask)));
  }
#endif
  found.emplace_back("usable", std::to_string(usable_cores()));
  found.emplace_back("default", or_error([] { return std::to_string(default_thread_count()); }));
  return found;
}

std::string active_isa() {
  return or_error([] { return std::string(default_kernel_set().isa); });
}

// "name      value"
void print_line(const std::string& name, const std::string& value) {
  print(padded(name, 12) + " " + (value.empty() ? "-" : value) + "\n");
}

void print_machine() {
  std::string isas, counts, variables;
  for (const KernelSet* set : available_kernel_sets()) {
    isas += (isas.empty() ? "" : ", ") + std::string(set->isa);
  }
  for (const auto& [name, count] : threads()) {
    counts += counts.empty() ? "" : ", ";
    counts += name;
    counts += ' ';
    counts += count;
  }
  for (const char* name : kVariables) {
    const char* const value = std::getenv(name);
    if (value == nullptr) continue;
    variables += (variables.empty() ? "" : ", ") + std::string(name) + " " + value;
  }
  print_line("version", MBRT_VERSION);
  print_line("python", "none (the native program)");
  print_line("platform", platform());
  print_line("cpu", cpu_name());
  print_line("isa", active_isa());
  print_line("isas", isas);
  print_line("threads", counts);
  print_line("packages", "");
  print_line("environment", variables);
}

void run(const Arguments& arguments) {
  if (!arguments.has("--json")) return print_machine();
  JsonWriter json(true);
  write_machine(json);
  print(json.text() + "\n");
}

}  // namespace

std::string cpu_name() {
  std::string name;
  if (std::FILE* const file = std::fopen("/proc/cpuinfo", "r")) {
    for (char line[256]; name.empty() && std::fgets(line, sizeof(line), file) != nullptr;) {
      const char* const colon = std::strchr(line, ':');
      if (colon == nullptr) continue;
      const std::string key =
          one_line(std::string_view(line, static_cast<std::size_t>(colon - line)));
      if (key == "model name" || key == "Model" || key == "Hardware") name = one_line(colon + 1);
    }
    std::fclose(file);
  }
  utsname machine;
  return name.empty() && uname(&machine) == 0 ? machine.machine : name;
}

void write_machine(JsonWriter& json) {
  json.begin_object().key("version").string(MBRT_VERSION);
  json.key("python").string("none (the native program)").key("platform").string(platform());
  json.key("cpu").string(cpu_name()).key("isa").string(active_isa());
  json.key("isas").begin_array();
  for (const KernelSet* set : available_kernel_sets()) json.string(set->isa);
  json.end_array().key("threads").begin_object();
  for (const auto& [name, count] : threads()) {
    json.key(name);
    if (count.find_first_not_of("0123456789") == std::string::npos) {
      json.integer(std::strtoull(count.c_str(), nullptr, 10));
    } else {
      json.string(count);
    }
  }
  json.end_object().key("packages").begin_object().end_object();
  json.key("environment").begin_object();
  for (const char* name : kVariables) {
    if (const char* const value = std::getenv(name)) json.key(name).string(value);
  }
  json.end_object().end_object();
}

const Command kInfo{
    "info", "show this program and this machine, for reports",
    "Show this program and this machine, as a bug report should. It names no user and no host.",
    configure, run};

}  // namespace mbrt::tools
