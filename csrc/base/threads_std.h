// Threads of the standard library; threads.h describes the names.
#ifndef MBRT_BASE_THREADS_STD_H_
#define MBRT_BASE_THREADS_STD_H_

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

}  // namespace mbrt

#endif  // MBRT_BASE_THREADS_STD_H_
