// Threads of the standard library and POSIX; threads.h describes the names.
#ifndef MBRT_BASE_THREADS_POSIX_H_
#define MBRT_BASE_THREADS_POSIX_H_

#include <pthread.h>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace mbrt {

using Mutex = std::mutex;
using Lock = std::unique_lock<Mutex>;
using Condition = std::condition_variable;
using Thread = std::thread;

inline void yield_thread() { std::this_thread::yield(); }

inline void relax_cpu() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  asm volatile("yield" ::: "memory");
#endif
}

inline void at_fork(void (*before)(), void (*parent)(), void (*child)()) {
  pthread_atfork(before, parent, child);
}

}  // namespace mbrt

#endif  // MBRT_BASE_THREADS_POSIX_H_
