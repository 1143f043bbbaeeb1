#include "base/threads_wasm.h"

#include <cstddef>
#include <cstdint>
#include <new>

#include "base/aligned.h"
#include "base/error.h"

namespace mbrt {
namespace {

constexpr std::size_t kStackBytes = std::size_t{1} << 20;  // as that of the first thread
// How long a thread sleeps before it looks whether another has trapped.
constexpr std::int64_t kSleepNanoseconds = 1'000'000'000;

// How often a thread that must not sleep looks before it looks whether another has trapped.
constexpr int kPolls = 1000;

thread_local bool may_sleep = false;
std::atomic<bool> has_trapped{false};
Mutex new_threads_mutex;
NewThread* new_threads = nullptr;  // without anything to run

// Returns when *value is no longer `seen`, or earlier.
void wait_for_change(std::atomic<int>* value, int seen) {
  if (has_trapped.load(std::memory_order_relaxed)) __builtin_trap();
  if (!may_sleep) {
    for (int i = 0; i < kPolls && value->load(std::memory_order_relaxed) == seen; ++i) {
    }
    return;
  }
  __builtin_wasm_memory_atomic_wait32(reinterpret_cast<int*>(value), seen, kSleepNanoseconds);
}

void wake(std::atomic<int>* value, unsigned threads) {
  __builtin_wasm_memory_atomic_notify(reinterpret_cast<int*>(value), threads);
}

std::size_t aligned(std::size_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

}  // namespace

void Mutex::lock_slowly(int found) {
  do {
    if (found == 2 || state_.exchange(2, std::memory_order_acquire) != 0) {
      wait_for_change(&state_, 2);
    } else {
      return;
    }
    found = 0;
  } while (!state_.compare_exchange_strong(found, 2, std::memory_order_acquire));
}

void Mutex::wake_one() { wake(&state_, 1); }

void Condition::notify(unsigned threads) {
  notifications_.fetch_add(1, std::memory_order_release);
  wake(&notifications_, threads);
}

// A notification between unlock() and the wait changes the value, so that it is not missed.
void Condition::sleep(Lock& lock) {
  const int seen = notifications_.load(std::memory_order_acquire);
  lock.unlock();
  wait_for_change(&notifications_, seen);
  lock.lock();
}

void Thread::start(void (*run)(void*), void* argument) {
  std::lock_guard<Mutex> lock(new_threads_mutex);
  NewThread* const thread = new_threads;
  if (thread == nullptr) throw Error("threads: no other thread has been made with new_thread().");
  new_threads = thread->next;
  thread->run = run;
  thread->argument = argument;
  thread->started.store(1, std::memory_order_release);
  wake(&thread->started, 1);
}

NewThread* new_thread() {
  const std::size_t tls = aligned(__builtin_wasm_tls_size());
  const std::size_t size = kStackBytes + tls + sizeof(NewThread);
  auto* const memory = static_cast<std::byte*>(::operator new(size, std::align_val_t{kAlignment}));
  std::byte* const stack = memory + kStackBytes;  // grows downwards
  auto* const thread = new (stack + tls) NewThread{.stack = stack, .tls = stack};
  std::lock_guard<Mutex> lock(new_threads_mutex);
  thread->next = new_threads;
  new_threads = thread;
  return thread;
}

void run_thread(NewThread* thread) {
  let_thread_sleep();
  while (thread->started.load(std::memory_order_acquire) == 0) {
    wait_for_change(&thread->started, 0);
  }
  thread->run(thread->argument);
}

void let_thread_sleep() { may_sleep = true; }

void report_thread_trap() { has_trapped.store(true, std::memory_order_relaxed); }

}  // namespace mbrt
