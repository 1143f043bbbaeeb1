#include <windows.h>

#include "base/cpu_features.h"

namespace mbrt {
namespace {

// Values of Windows' interface; old headers lack the names.
constexpr DWORD kDotprod = 43, kI8mm = 66;

}  // namespace

CpuFeatures detect_cpu_features() {
  const bool dotprod = IsProcessorFeaturePresent(kDotprod) != 0;
  return {
      .neon = true, .dotprod = dotprod, .i8mm = dotprod && IsProcessorFeaturePresent(kI8mm) != 0};
}

}  // namespace mbrt
