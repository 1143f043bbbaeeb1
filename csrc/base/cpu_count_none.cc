// A platform without threads.
#include "base/cpu_count.h"

namespace mbrt {

std::size_t usable_cores() { return 1; }

}  // namespace mbrt
