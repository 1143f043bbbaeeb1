// Independent pieces of work on the threads of the pool.
#ifndef MBRT_BASE_PARALLEL_H_
#define MBRT_BASE_PARALLEL_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>

#include "base/thread_pool.h"

namespace mbrt {

// Calls body(i) for each i in [0, count) on up to max_threads threads, the caller's included. When
// calls throw, rethrows the exception of the smallest i; later calls may then not be made.
template <typename Body>
void parallel_for(std::size_t count, std::size_t max_threads, const Body& body) {
  const std::size_t threads = std::min(max_threads, count);
  if (threads <= 1) {
    for (std::size_t i = 0; i < count; ++i) body(i);
    return;
  }
  struct Work {
    const Body& body;
    const std::size_t count;
    std::atomic<std::size_t> next{0};
    Mutex mutex{};
    std::size_t failed = 0;  // the i of `error`
    std::exception_ptr error{};

    void run() noexcept {
      for (std::size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < count;) {
        try {
          body(i);
        } catch (...) {
          const std::lock_guard<Mutex> lock(mutex);
          if (error == nullptr || i < failed) {
            failed = i;
            error = std::current_exception();
          }
          next.store(count, std::memory_order_relaxed);
        }
      }
    }
  } work{.body = body, .count = count};
  ThreadPool::instance().run(
      threads,
      [](void* context, auto&, std::size_t) noexcept { static_cast<Work*>(context)->run(); },
      &work);
  if (work.error) std::rethrow_exception(work.error);
}

}  // namespace mbrt

#endif  // MBRT_BASE_PARALLEL_H_
