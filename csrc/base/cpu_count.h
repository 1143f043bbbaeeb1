// How many threads are worth starting here.
#ifndef MBRT_BASE_CPU_COUNT_H_
#define MBRT_BASE_CPU_COUNT_H_

#include <cstddef>

namespace mbrt {

// min(CPUs in the affinity mask, cgroup CPU quota rounded up, physical cores among those CPUs), at
// least 1. Read anew at each call: all three may change while a process lives.
std::size_t usable_cores();

// MBRT_NUM_THREADS when set (an InputError unless it is a whole number from 1 to 256), else
// usable_cores().
std::size_t default_thread_count();

}  // namespace mbrt

#endif  // MBRT_BASE_CPU_COUNT_H_
