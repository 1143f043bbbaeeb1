// WebAssembly: JavaScript starts the threads, and may have one only; threads.h describes the names.
//
// Each thread is an instance of the module on the same memory, which JavaScript makes in a Worker: new_thread() in the
// first instance, run_thread() in the Worker's. Where the memory is not shared there is one thread, no lock is ever
// held by another, and no instruction that needs shared memory runs.
//
// The standard library is built for one thread: its malloc has a lock of ours (wasm/memory.cc), and a variable that is
// static in a function must be used by the first thread before any other one can reach it.
#ifndef MBRT_BASE_THREADS_WASM_H_
#define MBRT_BASE_THREADS_WASM_H_

#include <atomic>
#include <memory>
#include <mutex>  // std::lock_guard, std::try_to_lock
#include <utility>

namespace mbrt {

// A futex lock: 0 free, 1 held, 2 held and waited for (Drepper, "Futexes are tricky", 2011).
class Mutex {
 public:
  void lock() {
    int found = 0;
    if (!state_.compare_exchange_strong(found, 1, std::memory_order_acquire)) lock_slowly(found);
  }
  bool try_lock() {
    int free = 0;
    return state_.compare_exchange_strong(free, 1, std::memory_order_acquire);
  }
  void unlock() {
    if (state_.exchange(0, std::memory_order_release) == 2) wake_one();
  }

 private:
  void lock_slowly(int found);
  void wake_one();

  std::atomic<int> state_{0};
};

class Lock {
 public:
  explicit Lock(Mutex& mutex) : mutex_(&mutex), held_(true) { mutex.lock(); }
  Lock(Mutex& mutex, std::try_to_lock_t) : mutex_(&mutex), held_(mutex.try_lock()) {}
  ~Lock() {
    if (held_) mutex_->unlock();
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

  explicit operator bool() const { return held_; }
  void lock() {
    mutex_->lock();
    held_ = true;
  }
  void unlock() {
    held_ = false;
    mutex_->unlock();
  }

 private:
  Mutex* mutex_;
  bool held_;
};

class Condition {
 public:
  void notify_one() { notify(1); }
  void notify_all() { notify(~0u); }
  template <typename Predicate>
  void wait(Lock& lock, Predicate predicate) {
    while (!predicate()) sleep(lock);
  }

 private:
  void notify(unsigned threads);
  void sleep(Lock& lock);

  std::atomic<int> notifications_{0};
};

// Throws where no thread of new_thread() is left.
class Thread {
 public:
  Thread() = default;
  template <typename Function>
  explicit Thread(Function function) {
    auto held = std::make_unique<Function>(std::move(function));
    start([](void* body) { (*std::unique_ptr<Function>(static_cast<Function*>(body)))(); },
          held.get());
    held.release();
  }
  // The pool of a module lives as long as its memory.
  void join() {}

 private:
  static void start(void (*run)(void*), void* argument);
};

inline void yield_thread() {}
inline void relax_cpu() {}
inline void at_fork(void (*)(), void (*)(), void (*)()) {}

// What JavaScript gives to a Worker: set __stack_pointer to stack, call __wasm_init_tls(tls), then run_thread.
struct NewThread {
  void* stack;
  void* tls;
  void (*run)(void*) = nullptr;
  void* argument = nullptr;
  std::atomic<int> started{0};
  NewThread* next = nullptr;  // of those that have nothing to run
};

// std::bad_alloc when there is no memory.
NewThread* new_thread();
// Runs what a Thread is given; does not return before.
void run_thread(NewThread* thread);
// The calling thread may sleep (a page's own thread may not: it polls).
void let_thread_sleep();
// A thread has ended by a trap; all that wait for it trap too.
void report_thread_trap();

}  // namespace mbrt

#endif  // MBRT_BASE_THREADS_WASM_H_
