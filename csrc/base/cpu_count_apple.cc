#include <sys/sysctl.h>

#include <algorithm>
#include <cstddef>

#include "base/cpu_count.h"

namespace mbrt {
namespace {

std::size_t count_of(const char* name) {
  int value = 0;
  std::size_t size = sizeof value;
  const bool known = sysctlbyname(name, &value, &size, nullptr, 0) == 0;
  return known ? static_cast<std::size_t>(std::max(value, 0)) : 0;
}

}  // namespace

// Performance cores only: a team waits for its slowest thread.
std::size_t usable_cores() {
  const std::size_t fast = count_of("hw.perflevel0.physicalcpu");
  return std::max<std::size_t>(fast != 0 ? fast : count_of("hw.physicalcpu"), 1);
}

}  // namespace mbrt
