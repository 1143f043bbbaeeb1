// A processor for which there are no kernels but the scalar ones.
#include "base/cpu_features.h"

namespace mbrt {

CpuFeatures detect_cpu_features() { return {}; }

}  // namespace mbrt
