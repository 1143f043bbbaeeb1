#include <mach-o/dyld.h>
#include <sys/resource.h>
#include <sys/sysctl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/process.h"

namespace mbrt {

std::string own_path() {
  char path[4096];
  std::uint32_t size = sizeof(path);
  if (_NSGetExecutablePath(path, &size) != 0) return "";
  char* const resolved = realpath(path, nullptr);
  const std::string found = resolved != nullptr ? resolved : path;
  std::free(resolved);
  return found;
}

bool reset_peak_memory() { return false; }

std::optional<std::uint64_t> peak_memory() {
  rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(usage.ru_maxrss);  // in bytes
}

std::string system_name() {
  utsname system;
  if (uname(&system) != 0) return "unknown";
  return std::string(system.sysname) + " " + system.release + " " + system.machine;
}

std::string processor_name() {
  char name[256] = {};
  std::size_t size = sizeof(name) - 1;
  if (sysctlbyname("machdep.cpu.brand_string", name, &size, nullptr, 0) == 0) return name;
  utsname system;
  return uname(&system) == 0 ? system.machine : "";
}

std::size_t logical_processors() {
  return static_cast<std::size_t>(std::max(sysconf(_SC_NPROCESSORS_ONLN), 1L));
}

}  // namespace mbrt
