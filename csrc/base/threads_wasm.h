// WebAssembly with one thread: locks do nothing; threads.h describes the names.
#ifndef MBRT_BASE_THREADS_WASM_H_
#define MBRT_BASE_THREADS_WASM_H_

#include <mutex>  // std::lock_guard, std::try_to_lock

#include "base/error.h"

namespace mbrt {

class Mutex {
 public:
  void lock() {}
  bool try_lock() { return true; }
  void unlock() {}
};

class Lock {
 public:
  explicit Lock(Mutex&) {}
  Lock(Mutex&, std::try_to_lock_t) {}
  explicit operator bool() const { return true; }
  void unlock() {}
};

class Condition {
 public:
  void notify_one() {}
  void notify_all() {}
  // Nobody else could make it true.
  template <typename Predicate>
  void wait(Lock&, Predicate predicate) {
    if (!predicate()) __builtin_trap();
  }
};

class Thread {
 public:
  Thread() = default;
  template <typename Function>
  explicit Thread(Function&&) {
    throw Error("threads: this build has none.");
  }
  void join() {}
};

inline void yield_thread() {}
inline void relax_cpu() {}
inline void at_fork(void (*)(), void (*)(), void (*)()) {}

}  // namespace mbrt

#endif  // MBRT_BASE_THREADS_WASM_H_
