// One process-wide pool of sleeping threads, lent out as teams.
//
// A caller asks for a team of up to n threads and is always its thread 0; the others are idle pool
// threads, as long as the teams of all calls together have at most n. So two calls at once share
// the cores and neither waits for the other. Results never depend on the size of a team. Threads
// are created on first use, never at load. After fork() the child starts with a pool of its own.
#ifndef MBRT_BASE_THREAD_POOL_H_
#define MBRT_BASE_THREAD_POOL_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "base/threads.h"

namespace mbrt {

// A barrier of all threads of a team. A waiting thread polls for a few microseconds, yields its core
// for up to 0.1 ms, then sleeps; while no thread sleeps, a barrier costs one atomic addition per
// thread and no lock.
class Barrier {
 public:
  using Duration = std::chrono::steady_clock::duration;

  explicit Barrier(std::size_t threads) : threads_(threads) {}

  // Returns in every thread once all have called it, with the OR of all flags. Adds the time that
  // this thread yielded or slept to *waited.
  unsigned wait(unsigned flags, Duration* waited = nullptr);

 private:
  bool ended(std::size_t round) const {
    return generation_.load(std::memory_order_acquire) != round;
  }
  Duration yield_or_sleep(std::size_t round);
  void sleep(std::size_t round);

  const std::size_t threads_;
  alignas(64) std::atomic<std::size_t> arrived_{0};
  std::atomic<unsigned> flags_{0};                      // of the current round
  alignas(64) std::atomic<std::size_t> generation_{0};  // number of ended rounds
  std::atomic<unsigned> result_{0};                     // of the last ended round
  std::atomic<std::size_t> sleepers_{0};
  Mutex mutex_;
  Condition all_arrived_;
};

struct ThreadTeam {
  explicit ThreadTeam(std::size_t threads) : size(threads), barrier(threads) {}
  const std::size_t size;
  Barrier barrier;
};

class ThreadPool {
 public:
  static ThreadPool& instance();

  // Calls body(context, team, index) on 1 <= team.size <= max_threads threads and returns when all
  // have finished. body must not throw: the other threads would wait at a barrier forever.
  using Body = void (*)(void* context, ThreadTeam& team, std::size_t index) noexcept;
  void run(std::size_t max_threads, Body body, void* context);

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

 private:
  struct Job {
    Body body;
    void* context;
    ThreadTeam* team;
    std::atomic<std::size_t>* unfinished;
    Mutex* done_mutex;
    Condition* done;
  };
  struct PoolThread {
    Mutex mutex;
    Condition wake;
    bool has_job = false;
    bool quit = false;
    Job job{};
    std::size_t index = 0;
    Thread thread;
  };

  ThreadPool() = default;
  ~ThreadPool();
  static void reset_after_fork();
  void thread_loop(PoolThread* self);
  std::size_t borrow(std::size_t max_threads, PoolThread** borrowed);
  void give_back(PoolThread* thread);

  Mutex mutex_;           // guards what follows
  std::size_t busy_ = 0;  // threads of all teams
  std::vector<std::unique_ptr<PoolThread>> threads_;
  std::vector<PoolThread*> idle_;
};

// Max threads of a team: a bound, not a tuning value.
inline constexpr std::size_t kMaxThreads = 256;

}  // namespace mbrt

#endif  // MBRT_BASE_THREAD_POOL_H_
