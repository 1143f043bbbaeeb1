// Threads of the standard library, and no fork(); threads.h describes the names.
#ifndef MBRT_BASE_THREADS_WINDOWS_H_
#define MBRT_BASE_THREADS_WINDOWS_H_

#include "base/threads_std.h"

namespace mbrt {

inline void at_fork(void (*)(), void (*)(), void (*)()) {}

}  // namespace mbrt

#endif  // MBRT_BASE_THREADS_WINDOWS_H_
