#include <sys/auxv.h>

#include "base/cpu_features.h"

namespace mbrt {
namespace {

constexpr unsigned long kHwcapNeon = 1UL << 12;
constexpr unsigned long kHwcapVfpv4 = 1UL << 16;

}  // namespace

CpuFeatures detect_cpu_features() {
  constexpr unsigned long kBoth = kHwcapNeon | kHwcapVfpv4;
  return {.neon = (getauxval(AT_HWCAP) & kBoth) == kBoth};
}

}  // namespace mbrt
