// Mutexes, conditions and threads of the platform. Each platform's header has, in namespace mbrt:
//
//   Mutex                            lock, try_lock, unlock; also for std::lock_guard
//   Lock                             as std::unique_lock<Mutex>; also with std::try_to_lock
//   Condition                        wait(lock, predicate), notify_one, notify_all
//   Thread                           Thread(function) throws a std::exception if it cannot start; join
//   yield_thread() relax_cpu()       lets other threads run; a pause in a loop that polls
//   at_fork(before, parent, child)   functions to call around fork(), or null
#ifndef MBRT_BASE_THREADS_H_
#define MBRT_BASE_THREADS_H_

#if defined(__wasm__)
#include "base/threads_wasm.h"
#elif defined(_WIN32)
#include "base/threads_windows.h"
#else
#include "base/threads_posix.h"
#endif

#endif  // MBRT_BASE_THREADS_H_
