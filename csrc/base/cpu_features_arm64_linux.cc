#include <sys/auxv.h>

#include "base/cpu_features.h"

namespace mbrt {
namespace {

// Values of the Linux ABI; old headers lack the names.
constexpr unsigned long kHwcapAsimdDp = 1UL << 20;
constexpr unsigned long kHwcap2I8mm = 1UL << 13;

}  // namespace

// Linux reports the capabilities that every core of a big.LITTLE system has.
CpuFeatures detect_cpu_features() {
  const bool dotprod = (getauxval(AT_HWCAP) & kHwcapAsimdDp) != 0;
  const bool i8mm = (getauxval(AT_HWCAP2) & kHwcap2I8mm) != 0;
  return {.neon = true, .dotprod = dotprod, .i8mm = dotprod && i8mm};
}

}  // namespace mbrt
