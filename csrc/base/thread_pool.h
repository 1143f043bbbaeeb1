// One process-wide pool of sleeping threads, lent out as teams.
//
// A caller asks for a team of up to n threads and is always its member 0; the others are the
// workers that are idle at that moment, so two calls at once share the workers and neither waits
// for the other. Results never depend on the team's size. Threads are created on first use, never
// at load. After fork() the child starts with a pool of its own.
#ifndef MBRT_BASE_THREAD_POOL_H_
#define MBRT_BASE_THREAD_POOL_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace mbrt {

// A meeting point of all members of a team. Who waits polls for a few microseconds, then sleeps;
// while nobody sleeps, a meeting costs one atomic addition a member and no lock.
class Barrier {
 public:
  explicit Barrier(std::size_t members) : members_(members) {}

  // Returns once every member has called it: to all of them the flags that any passed. patient:
  // between polling and sleep, for a tenth of a millisecond, offer the core to whoever wants it.
  unsigned wait(unsigned flags, bool patient = false);

  // At how many meetings a patient member waited for long, the first not counted, to which members
  // have to be woken: a sign that they do not all have a core.
  std::size_t long_waits() const { return long_waits_.load(std::memory_order_relaxed); }

 private:
  bool ended(std::size_t round) const {
    return generation_.load(std::memory_order_acquire) != round;
  }
  void offer_core(std::size_t round);
  void sleep(std::size_t round);

  const std::size_t members_;
  alignas(64) std::atomic<std::size_t> arrived_{0};
  std::atomic<unsigned> flags_{0};                      // of the round that is gathering
  alignas(64) std::atomic<std::size_t> generation_{0};  // rounds that have ended
  std::atomic<unsigned> verdict_{0};                    // of the round that ended last
  std::atomic<std::size_t> sleepers_{0};
  std::atomic<std::size_t> long_waits_{0}, last_long_{0};  // how many, and the round of the last
  std::mutex mutex_;
  std::condition_variable arrived_all_;
};

struct Team {
  explicit Team(std::size_t members) : size(members), barrier(members) {}
  const std::size_t size;
  Barrier barrier;
};

class ThreadPool {
 public:
  static ThreadPool& instance();

  // Calls body(context, team, index) on 1 <= team.size <= max_threads threads and returns when all
  // have finished. body must not throw: a member that left would let the others wait for ever.
  using Body = void (*)(void* context, Team& team, std::size_t index) noexcept;
  void run(std::size_t max_threads, Body body, void* context);

  // How many such calls there are at this moment.
  std::size_t callers() const { return callers_.load(std::memory_order_relaxed); }

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

 private:
  struct Job {
    Body body;
    void* context;
    Team* team;
    std::atomic<std::size_t>* unfinished;
    std::mutex* done_mutex;
    std::condition_variable* done;
  };
  struct Worker {
    std::mutex mutex;
    std::condition_variable wake;
    bool has_job = false;
    bool quit = false;
    Job job{};
    std::size_t index = 0;
    std::thread thread;
  };

  ThreadPool() = default;
  ~ThreadPool();
  static void reset_after_fork();
  void worker_loop(Worker* worker);
  std::size_t borrow(std::size_t wanted, Worker** borrowed);

  std::atomic<std::size_t> callers_{0};
  std::mutex mutex_;  // guards the two lists
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Worker*> idle_;
};

// Largest team that any caller may ask for: a bound on threads, not a tuning value.
inline constexpr std::size_t kMaxThreads = 256;

}  // namespace mbrt

#endif  // MBRT_BASE_THREAD_POOL_H_
