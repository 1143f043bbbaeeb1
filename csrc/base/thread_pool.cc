#include "base/thread_pool.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>
#include <utility>

namespace mbrt {
namespace {

// Two to five microseconds on x86, less on ARM: enough for threads that arrive together.
constexpr int kPolls = 64;
// Waking a thread takes tens of microseconds. Where barriers follow each other faster than that, a
// thread that slept arrives late at the next barrier, so that the others sleep there, and so on;
// yielding first avoids this.
constexpr std::chrono::microseconds kMaxYield{100};

alignas(ThreadPool) unsigned char pool_storage[sizeof(ThreadPool)];

}  // namespace

// A round cannot end before this thread has arrived, so `round` cannot change before that.
unsigned Barrier::wait(unsigned flags, Duration* waited) {
  if (threads_ == 1) return flags;
  const std::size_t round = generation_.load(std::memory_order_relaxed);
  if (flags != 0) flags_.fetch_or(flags, std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads_) {
    const unsigned result = flags_.exchange(0, std::memory_order_relaxed);
    result_.store(result, std::memory_order_relaxed);
    arrived_.store(0, std::memory_order_relaxed);
    // seq_cst: either this sees the sleeper, or the sleeper sees that the round has ended.
    generation_.store(round + 1, std::memory_order_seq_cst);
    if (sleepers_.load(std::memory_order_seq_cst) != 0) {
      std::lock_guard<Mutex> lock(mutex_);
      all_arrived_.notify_all();
    }
    return result;
  }
  for (int i = 0; i < kPolls && !ended(round); ++i) relax_cpu();
  if (!ended(round)) {
    const Duration took = yield_or_sleep(round);
    if (waited != nullptr) *waited += took;
  }
  return result_.load(std::memory_order_relaxed);
}

// How long it took.
Barrier::Duration Barrier::yield_or_sleep(std::size_t round) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point begin = Clock::now();
  for (Duration waited{}; waited < kMaxYield; waited = Clock::now() - begin) {
    yield_thread();
    if (ended(round)) return Clock::now() - begin;
  }
  sleep(round);
  return Clock::now() - begin;
}

void Barrier::sleep(std::size_t round) {
  Lock lock(mutex_);
  sleepers_.fetch_add(1, std::memory_order_seq_cst);
  all_arrived_.wait(lock, [&] { return generation_.load(std::memory_order_seq_cst) != round; });
  sleepers_.fetch_sub(1, std::memory_order_relaxed);
}

ThreadPool& ThreadPool::instance() {
  // Built in static storage so that a forked child, which has no pool threads, can build a new one.
  static ThreadPool* pool = [] {
    at_fork(nullptr, nullptr, &ThreadPool::reset_after_fork);
    return new (pool_storage) ThreadPool;
  }();
  return *pool;
}

// The old object is abandoned, not destroyed: its mutexes may be held by threads that exist only in
// the parent.
void ThreadPool::reset_after_fork() { new (pool_storage) ThreadPool; }

ThreadPool::~ThreadPool() {
  for (const std::unique_ptr<PoolThread>& thread : threads_) {
    {
      std::lock_guard<Mutex> lock(thread->mutex);
      thread->quit = true;
    }
    thread->wake.notify_one();
    thread->thread.join();
  }
}

void ThreadPool::thread_loop(PoolThread* self) {
  for (;;) {
    Lock lock(self->mutex);
    self->wake.wait(lock, [&] { return self->has_job || self->quit; });
    if (self->quit) return;
    self->has_job = false;
    const Job job = self->job;
    const std::size_t index = self->index;
    lock.unlock();

    job.body(job.context, *job.team, index);
    give_back(self);  // before the caller can return and ask for the next team
    std::lock_guard<Mutex> done_lock(*job.done_mutex);
    if (job.unfinished->fetch_sub(1, std::memory_order_acq_rel) == 1) job.done->notify_one();
  }
}

// Counts the caller, and lends it threads; their number.
std::size_t ThreadPool::borrow(std::size_t max_threads, PoolThread** borrowed) {
  std::lock_guard<Mutex> lock(mutex_);
  ++busy_;
  const std::size_t wanted = max_threads - std::min(max_threads, busy_);
  std::size_t count = 0;
  while (count < wanted && !idle_.empty()) {
    borrowed[count++] = idle_.back();
    idle_.pop_back();
  }
  while (count < wanted && threads_.size() + 1 < max_threads) {
    try {
      auto made = std::make_unique<PoolThread>();
      idle_.reserve(threads_.size() + 1);
      threads_.reserve(threads_.size() + 1);
      PoolThread* thread = made.get();
      thread->thread = Thread([this, thread] { thread_loop(thread); });
      threads_.push_back(std::move(made));
      borrowed[count++] = thread;
    } catch (const std::exception&) {
      break;  // no more threads, or no memory for them: use those there are
    }
  }
  busy_ += count;
  return count;
}

void ThreadPool::give_back(PoolThread* thread) {
  std::lock_guard<Mutex> lock(mutex_);
  --busy_;
  if (thread != nullptr) idle_.push_back(thread);
}

void ThreadPool::run(std::size_t max_threads, Body body, void* context) {
  PoolThread* borrowed[kMaxThreads];
  const std::size_t helpers =
      borrow(std::min(std::max<std::size_t>(max_threads, 1), kMaxThreads), borrowed);
  ThreadTeam team(helpers + 1);
  std::atomic<std::size_t> unfinished{helpers};
  Mutex done_mutex;
  Condition done;
  for (std::size_t i = 0; i < helpers; ++i) {
    PoolThread& thread = *borrowed[i];
    {
      std::lock_guard<Mutex> lock(thread.mutex);
      thread.job = Job{.body = body,
                       .context = context,
                       .team = &team,
                       .unfinished = &unfinished,
                       .done_mutex = &done_mutex,
                       .done = &done};
      thread.index = i + 1;
      thread.has_job = true;
    }
    thread.wake.notify_one();
  }
  body(context, team, 0);
  give_back(nullptr);
  if (helpers == 0) return;
  Lock lock(done_mutex);
  done.wait(lock, [&] { return unfinished.load(std::memory_order_acquire) == 0; });
}

}  // namespace mbrt
