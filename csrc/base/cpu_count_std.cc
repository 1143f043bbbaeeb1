#include <algorithm>
#include <thread>

#include "base/cpu_count.h"

namespace mbrt {

std::size_t usable_cores() { return std::max<std::size_t>(std::thread::hardware_concurrency(), 1); }

}  // namespace mbrt
