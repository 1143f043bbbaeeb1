// Threads of the standard library, and fork(); threads.h describes the names.
#ifndef MBRT_BASE_THREADS_POSIX_H_
#define MBRT_BASE_THREADS_POSIX_H_

#include <pthread.h>

#include "base/threads_std.h"

namespace mbrt {

inline void at_fork(void (*before)(), void (*parent)(), void (*child)()) {
  pthread_atfork(before, parent, child);
}

}  // namespace mbrt

#endif  // MBRT_BASE_THREADS_POSIX_H_
