#include <sys/sysctl.h>

#include <cstddef>

#include "base/cpu_features.h"

namespace mbrt {
namespace {

bool has(const char* name) {
  int value = 0;
  std::size_t size = sizeof value;
  return sysctlbyname(name, &value, &size, nullptr, 0) == 0 && value != 0;
}

}  // namespace

CpuFeatures detect_cpu_features() {
  const bool dotprod = has("hw.optional.arm.FEAT_DotProd");
  return {.neon = true, .dotprod = dotprod, .i8mm = dotprod && has("hw.optional.arm.FEAT_I8MM")};
}

}  // namespace mbrt
