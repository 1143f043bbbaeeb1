// How many threads to use by default.
#ifndef MBRT_BASE_CPU_COUNT_H_
#define MBRT_BASE_CPU_COUNT_H_

#include <cstddef>

namespace mbrt {

// min(CPUs in the affinity mask, cgroup CPU quota rounded up, physical cores among those CPUs), at
// least 1. Read again at each call: all three may change while the process runs.
std::size_t usable_cores();

// MBRT_NUM_THREADS if set (InputError unless it is an integer from 1 to 256), else usable_cores().
std::size_t default_thread_count();

}  // namespace mbrt

#endif  // MBRT_BASE_CPU_COUNT_H_
