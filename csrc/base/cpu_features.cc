#include "base/cpu_features.h"

namespace mbrt {

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = detect_cpu_features();
  return features;
}

}  // namespace mbrt
