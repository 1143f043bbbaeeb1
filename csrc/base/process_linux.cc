#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "base/process.h"

namespace mbrt {
namespace {

std::string trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n";
  const std::size_t begin = std::min(text.find_first_not_of(kSpaces), text.size());
  return std::string(text.substr(begin, text.find_last_not_of(kSpaces) + 1 - begin));
}

}  // namespace

std::string own_path() {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof(path));
  return {path, static_cast<std::size_t>(std::max<ssize_t>(length, 0))};
}

bool reset_peak_memory() {
  std::FILE* const file = std::fopen("/proc/self/clear_refs", "w");
  if (file == nullptr) return false;
  const bool written = std::fputs("5", file) >= 0;
  return std::fclose(file) == 0 && written;
}

std::optional<std::uint64_t> peak_memory() {
  unsigned long kibibytes = 0;
  if (std::FILE* const file = std::fopen("/proc/self/status", "r")) {
    for (char line[256]; kibibytes == 0 && std::fgets(line, sizeof(line), file) != nullptr;) {
      if (std::sscanf(line, "VmHWM: %lu", &kibibytes) != 1) kibibytes = 0;
    }
    std::fclose(file);
  }
  if (kibibytes > 0) return std::uint64_t{kibibytes} * 1024;
  rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

std::string system_name() {
  utsname system;
  if (uname(&system) != 0) return "unknown";
  return std::string(system.sysname) + " " + system.release + " " + system.machine;
}

std::string processor_name() {
  std::string name;
  if (std::FILE* const file = std::fopen("/proc/cpuinfo", "r")) {
    for (char line[256]; name.empty() && std::fgets(line, sizeof(line), file) != nullptr;) {
      const std::string_view text = line;
      const std::size_t colon = std::min(text.find(':'), text.size() - 1);
      const std::string key = trimmed(text.substr(0, colon));
      if (key == "model name" || key == "Model" || key == "Hardware") {
        name = trimmed(text.substr(colon + 1));
      }
    }
    std::fclose(file);
  }
  utsname system;
  return name.empty() && uname(&system) == 0 ? system.machine : name;
}

std::size_t logical_processors() {
  return static_cast<std::size_t>(std::max(sysconf(_SC_NPROCESSORS_ONLN), 1L));
}

}  // namespace mbrt
