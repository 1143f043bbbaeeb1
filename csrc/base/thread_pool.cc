#include "base/thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>
#include <utility>

namespace mbrt {
namespace {

inline void relax_cpu() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__) || defined(__arm__)
  asm volatile("yield" ::: "memory");
#endif
}

// Two to five microseconds on x86, less on ARM: enough for members that arrive together.
constexpr int kPolls = 64;
// To wake a sleeper takes some tens of microseconds. Where meetings come faster than that, who slept
// comes to the next one so late that the other sleeps there, and so on to the end, unless they wait
// for each other. Where they come seldom it is wrong: on a busy machine whoever gets the core keeps
// it for milliseconds, where a sleeper that is woken has it back at once.
constexpr std::chrono::microseconds kOffered{100};
// Members that all have a core do not wait for so long, once all have been woken.
constexpr std::chrono::microseconds kLong{30};

alignas(ThreadPool) unsigned char pool_storage[sizeof(ThreadPool)];

}  // namespace

// A round cannot end before this member has arrived, so what it reads before that stands still.
unsigned Barrier::wait(unsigned flags, bool patient) {
  if (members_ == 1) return flags;
  const std::size_t round = generation_.load(std::memory_order_relaxed);
  if (flags != 0) flags_.fetch_or(flags, std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == members_) {
    const unsigned verdict = flags_.exchange(0, std::memory_order_relaxed);
    verdict_.store(verdict, std::memory_order_relaxed);
    arrived_.store(0, std::memory_order_relaxed);
    // Either this sees who has lain down, or who lies down sees that the round has ended.
    generation_.store(round + 1, std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) != 0) {
      std::lock_guard<std::mutex> lock(mutex_);
      arrived_all_.notify_all();
    }
    return verdict;
  }
  for (int i = 0; i < kPolls && !ended(round); ++i) relax_cpu();
  if (patient && !ended(round)) offer_core(round);
  if (!ended(round)) sleep(round);
  return verdict_.load(std::memory_order_relaxed);
}

void Barrier::offer_core(std::size_t round) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  Clock::duration waited;
  do {
    std::this_thread::yield();
    waited = Clock::now() - begin;
  } while (waited < kOffered && !ended(round));
  if (waited <= kLong || round == 0) return;
  if (last_long_.exchange(round, std::memory_order_relaxed) == round) return;
  long_waits_.fetch_add(1, std::memory_order_relaxed);
}

void Barrier::sleep(std::size_t round) {
  std::unique_lock<std::mutex> lock(mutex_);
  sleepers_.fetch_add(1, std::memory_order_seq_cst);
  arrived_all_.wait(lock, [&] { return generation_.load(std::memory_order_seq_cst) != round; });
  sleepers_.fetch_sub(1, std::memory_order_relaxed);
}

ThreadPool& ThreadPool::instance() {
  // Built in static storage so that a forked child, whose workers do not exist, can build it anew.
  static ThreadPool* pool = [] {
    pthread_atfork(nullptr, nullptr, &ThreadPool::reset_after_fork);
    return new (pool_storage) ThreadPool;
  }();
  return *pool;
}

// The old object is abandoned, not destroyed: its mutexes may be held by threads that exist only in
// the parent.
void ThreadPool::reset_after_fork() { new (pool_storage) ThreadPool; }

ThreadPool::~ThreadPool() {
  for (const std::unique_ptr<Worker>& worker : workers_) {
    {
      std::lock_guard<std::mutex> lock(worker->mutex);
      worker->quit = true;
    }
    worker->wake.notify_one();
    worker->thread.join();
  }
}

void ThreadPool::worker_loop(Worker* worker) {
  for (;;) {
    std::unique_lock<std::mutex> lock(worker->mutex);
    worker->wake.wait(lock, [&] { return worker->has_job || worker->quit; });
    if (worker->quit) return;
    worker->has_job = false;
    const Job job = worker->job;
    const std::size_t index = worker->index;
    lock.unlock();

    job.body(job.context, *job.team, index);
    {
      // Idle again before the caller can return and ask for the next team.
      std::lock_guard<std::mutex> pool_lock(mutex_);
      idle_.push_back(worker);
    }
    std::lock_guard<std::mutex> done_lock(*job.done_mutex);
    if (job.unfinished->fetch_sub(1, std::memory_order_acq_rel) == 1) job.done->notify_one();
  }
}

std::size_t ThreadPool::borrow(std::size_t wanted, Worker** borrowed) {
  std::lock_guard<std::mutex> lock(mutex_);
  std::size_t count = 0;
  while (count < wanted && !idle_.empty()) {
    borrowed[count++] = idle_.back();
    idle_.pop_back();
  }
  while (count < wanted && workers_.size() < wanted) {
    try {
      auto made = std::make_unique<Worker>();
      idle_.reserve(workers_.size() + 1);
      workers_.reserve(workers_.size() + 1);
      Worker* worker = made.get();
      worker->thread = std::thread([this, worker] { worker_loop(worker); });
      workers_.push_back(std::move(made));
      borrowed[count++] = worker;
    } catch (const std::exception&) {
      break;  // the system gives no more threads, or no memory for them: work with those there are
    }
  }
  return count;
}

void ThreadPool::run(std::size_t max_threads, Body body, void* context) {
  Worker* borrowed[kMaxThreads];
  const std::size_t wanted = std::min(std::max<std::size_t>(max_threads, 1), kMaxThreads) - 1;
  const std::size_t helpers = wanted == 0 ? 0 : borrow(wanted, borrowed);

  callers_.fetch_add(1, std::memory_order_relaxed);
  Team team(helpers + 1);
  std::atomic<std::size_t> unfinished{helpers};
  std::mutex done_mutex;
  std::condition_variable done;
  for (std::size_t i = 0; i < helpers; ++i) {
    Worker& worker = *borrowed[i];
    {
      std::lock_guard<std::mutex> lock(worker.mutex);
      worker.job = Job{body, context, &team, &unfinished, &done_mutex, &done};
      worker.index = i + 1;
      worker.has_job = true;
    }
    worker.wake.notify_one();
  }
  body(context, team, 0);
  callers_.fetch_sub(1, std::memory_order_relaxed);
  if (helpers == 0) return;
  std::unique_lock<std::mutex> lock(done_mutex);
  done.wait(lock, [&] { return unfinished.load(std::memory_order_acquire) == 0; });
}

}  // namespace mbrt
