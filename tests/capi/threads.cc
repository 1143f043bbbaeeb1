// threads FOLDER: the C API from many threads: busy calls, cancels and timeouts at any moment, races of
// free. Every result is a status, and afterwards the model gives the same bits. Also run with the
// thread sanitizer.
#include <algorithm>
#include <chrono>
#include <limits>
#include <thread>

#include "support.h"

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

template <typename Work>
void from_threads(std::size_t count, Work work) {
  std::vector<std::thread> threads;
  threads.reserve(count);
  for (std::size_t i = 0; i < count; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
}

// A model of 100 equal layers and a call of at least 50 ms: a layer takes at most 1 % of it.
struct Deep {
  explicit Deep(const char* folder)
      : model(open_model(folder, "deep-fp32")), call(new_call(model)) {
    EXPECT_OK(mbrt_call_set_threads(call, 1));
    while (seconds < 0.05) {
      add_ids(call, some_ids(64));
      const Clock::time_point start = Clock::now();
      EXPECT_OK(mbrt_call_run(call));
      seconds = seconds_since(start);
    }
    expected = copy_of(call, MBRT_LAST_HIDDEN_STATE, 0);
  }
  ~Deep() {
    EXPECT_OK(mbrt_call_set_timeout(call, std::numeric_limits<double>::infinity()));
    EXPECT_OK(mbrt_call_run(call));
    EXPECT(same_bits(expected, copy_of(call, MBRT_LAST_HIDDEN_STATE, 0)));
    EXPECT_OK(mbrt_call_free(call));
    EXPECT_OK(mbrt_model_close(model));
  }

  mbrt_model model;
  mbrt_call call;
  std::vector<float> expected;
  double seconds = 0;  // of a run
};

// Waits until another thread uses the call.
void wait_until_busy(mbrt_call call) {
  while (mbrt_call_set_threads(call, 1) != MBRT_ERROR_BUSY) std::this_thread::yield();
}

// Every function but cancel, while another thread runs the call again and again.
void test_busy(const char* folder) {
  const Deep deep(folder);
  const mbrt_call call = deep.call;
  for (int round = 0; round < 3; ++round) {
    mbrt_status ended = MBRT_OK;
    std::thread runner([&] {
      while (ended == MBRT_OK || ended == MBRT_ERROR_BUSY) ended = mbrt_call_run(call);
    });
    wait_until_busy(call);
    // The call may be between two runs: functions that do not change the result return busy or
    // success.
    const auto refused = [](mbrt_status status) {
      return status == MBRT_ERROR_BUSY || status == MBRT_OK;
    };
    std::size_t needed = 0;
    int busy = 0;
    for (int i = 0; i < 200; ++i) {
      const mbrt_status limits = mbrt_call_set_limits(call, 0, MBRT_OVERFLOW_DEFAULT, 0);
      const mbrt_status outputs = mbrt_call_set_outputs(call, MBRT_LAST_HIDDEN_STATE);
      EXPECT(refused(limits) && refused(outputs) && refused(mbrt_call_set_threads(call, 1)));
      busy += (limits == MBRT_ERROR_BUSY) + (outputs == MBRT_ERROR_BUSY);
    }
    EXPECT(busy > 0);
    mbrt_call_copy(call, MBRT_LAST_HIDDEN_STATE, 0, 0, nullptr, 0, &needed);
    EXPECT(needed == 0 || needed == deep.expected.size());
    EXPECT_OK(mbrt_call_cancel(call));
    runner.join();
    EXPECT(ended == MBRT_ERROR_CANCELLED);
  }
}

// A call cannot be freed during a run; after a cancel stopped the run, it can.
void test_free_while_running(const char* folder) {
  const Deep deep(folder);
  const mbrt_call call = new_call(deep.model);
  EXPECT_OK(mbrt_call_set_threads(call, 2));
  for (int i = 0; i < 20; ++i) add_ids(call, some_ids(256));
  mbrt_status ended = MBRT_OK;
  std::thread runner([&] { ended = mbrt_call_run(call); });
  wait_until_busy(call);
  EXPECT_STATUS(MBRT_ERROR_BUSY, mbrt_call_free(call));
  EXPECT_OK(mbrt_call_cancel(call));
  runner.join();
  EXPECT(ended == MBRT_ERROR_CANCELLED);
  EXPECT_OK(mbrt_call_free(call));
  EXPECT_STATUS(MBRT_ERROR_HANDLE, mbrt_call_cancel(call));
}

// The time from cancel to the return of the run: the minimum of several tries is a small part of a run,
// which requires frequent checks for a cancel. A busy machine delays some tries, but not all.
void test_cancel_is_prompt(const char* folder) {
  const Deep deep(folder);
  double best = 1e9;
  for (int i = 0; i < 10; ++i) {
    mbrt_status ended = MBRT_OK;
    Clock::time_point back;
    std::thread runner([&] {
      while (ended == MBRT_OK || ended == MBRT_ERROR_BUSY) ended = mbrt_call_run(deep.call);
      back = Clock::now();
    });
    wait_until_busy(deep.call);
    std::this_thread::sleep_for(std::chrono::duration<double>(deep.seconds * 0.05 * i));
    const Clock::time_point asked = Clock::now();
    EXPECT_OK(mbrt_call_cancel(deep.call));
    runner.join();
    EXPECT(ended == MBRT_ERROR_CANCELLED);
    best = std::min(best, std::chrono::duration<double>(back - asked).count());
  }
  EXPECT(best < deep.seconds / 8);
}

void test_timeout_is_prompt(const char* folder) {
  const Deep deep(folder);
  EXPECT_OK(mbrt_call_set_timeout(deep.call, 0));
  EXPECT_STATUS(MBRT_ERROR_TIMEOUT, mbrt_call_run(deep.call));
  // The delay of the return after the timeout, as a part of a run: the minimum of several tries. On a
  // machine that became faster, a run may finish in time.
  double best = 1e9;
  for (int i = 0; i < 10; ++i) {
    EXPECT_OK(mbrt_call_set_timeout(deep.call, deep.seconds / 4));
    const Clock::time_point start = Clock::now();
    const mbrt_status status = mbrt_call_run(deep.call);
    const double late = seconds_since(start) - deep.seconds / 4;
    EXPECT(status == MBRT_ERROR_TIMEOUT || status == MBRT_OK);
    if (status != MBRT_ERROR_TIMEOUT) continue;
    EXPECT_STATUS(MBRT_ERROR_NO_RESULT,
                  mbrt_call_copy(deep.call, MBRT_LAST_HIDDEN_STATE, 0, 0, nullptr, 0, nullptr));
    best = std::min(best, late);
  }
  EXPECT(best < deep.seconds / 8);
}

// A cancel without a run stops the next run; clear removes it; a cancelled run consumes it.
void test_cancel_before_the_run(const char* folder) {
  const mbrt_model model = open_model(folder, "embed-int8");
  const mbrt_call call = new_call(model);
  EXPECT_OK(mbrt_call_set_outputs(call, MBRT_EMBEDDING));
  EXPECT_OK(mbrt_call_add_text(call, "the cat", MBRT_NUL_TERMINATED));
  EXPECT_OK(mbrt_call_cancel(call));
  EXPECT_STATUS(MBRT_ERROR_CANCELLED, mbrt_call_run(call));
  EXPECT_OK(mbrt_call_run(call));
  const std::vector<float> expected = copy_of(call, MBRT_EMBEDDING, 0);
  EXPECT_OK(mbrt_call_cancel(call));
  EXPECT_OK(mbrt_call_clear(call));
  EXPECT_OK(mbrt_call_add_text(call, "the cat", MBRT_NUL_TERMINATED));
  EXPECT_OK(mbrt_call_run(call));
  EXPECT(same_bits(expected, copy_of(call, MBRT_EMBEDDING, 0)));
  EXPECT_OK(mbrt_call_free(call));
  EXPECT_OK(mbrt_model_close(model));
}

// Cancels at any time: before, during, between and after runs.
void test_cancel_races(const char* folder) {
  const mbrt_model model = open_model(folder, "ids-int8");
  const std::vector<float> expected = hidden_of(model, some_ids(50));
  const mbrt_call call = new_call(model);
  EXPECT_OK(mbrt_call_set_threads(call, 2));
  add_ids(call, some_ids(50));
  std::atomic<bool> over{false};
  std::atomic<int> cancels{0};
  std::thread canceller([&] {
    for (unsigned i = 0; !over; ++i) {
      if (mbrt_call_cancel(call) == MBRT_OK) ++cancels;
      for (unsigned k = 0; k < i * 7 % 200; ++k) std::this_thread::yield();
    }
  });
  for (int i = 0; i < 300 || cancels < 20; ++i) {
    const mbrt_status status = mbrt_call_run(call);
    EXPECT(status == MBRT_OK || status == MBRT_ERROR_CANCELLED);
    if (status == MBRT_OK) {
      EXPECT(same_bits(expected, copy_of(call, MBRT_LAST_HIDDEN_STATE, 0)));
    }
  }
  over = true;
  canceller.join();
  EXPECT_OK(mbrt_call_clear(call));
  add_ids(call, some_ids(50));
  EXPECT_OK(mbrt_call_run(call));
  EXPECT(same_bits(expected, copy_of(call, MBRT_LAST_HIDDEN_STATE, 0)));
  EXPECT_OK(mbrt_call_free(call));
  EXPECT_OK(mbrt_model_close(model));
}

// If several threads free a call or close a model at the same time, exactly one succeeds.
void test_concurrent_free(const char* folder) {
  for (int round = 0; round < 50; ++round) {
    const mbrt_model model = open_model(folder, "ids-fp32");
    const mbrt_call call = new_call(model);
    std::atomic<int> freed{0}, closed{0};
    from_threads(4, [&](std::size_t) {
      const mbrt_status free = mbrt_call_free(call);
      EXPECT(free == MBRT_OK || free == MBRT_ERROR_HANDLE || free == MBRT_ERROR_BUSY);
      if (free == MBRT_OK) ++freed;
      const mbrt_status close = mbrt_model_close(model);
      EXPECT(close == MBRT_OK || close == MBRT_ERROR_HANDLE);
      if (close == MBRT_OK) ++closed;
    });
    EXPECT(freed == 1 && closed == 1);
  }
}

// Calls of many threads on one model that is closed meanwhile; all read its tokenizer first.
void test_many_callers(const char* folder) {
  for (const char* name : {"embed-fp32", "embed-int8"}) {
    const mbrt_model model = open_model(folder, name);
    const mbrt_model other = open_model(folder, name);
    const std::vector<float> expected = hidden_of(other, some_ids(33));
    std::atomic<int> ready{0};
    from_threads(4, [&](std::size_t thread) {
      const mbrt_call call = new_call(model);
      ++ready;
      while (ready < 4) std::this_thread::yield();
      EXPECT_OK(mbrt_call_add_text(call, "who wrote the notes?", MBRT_NUL_TERMINATED));
      add_ids(call, some_ids(33));
      EXPECT_OK(mbrt_call_set_threads(call, 1 + thread % 3));
      if (thread == 0) EXPECT_OK(mbrt_model_close(model));
      for (int run = 0; run < 10; ++run) {
        EXPECT_OK(mbrt_call_run(call));
        EXPECT(same_bits(expected, copy_of(call, MBRT_LAST_HIDDEN_STATE, 1)));
      }
      EXPECT_OK(mbrt_call_free(call));
    });
    EXPECT_OK(mbrt_model_close(other));
  }
}

void test_messages_belong_to_a_thread() {
  EXPECT_STATUS(MBRT_ERROR_HANDLE, mbrt_model_close({0}));
  const std::string mine = mbrt_last_error();
  std::thread([&] {
    EXPECT(mbrt_last_error()[0] == '\0');
    mbrt_model model{};
    EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_model_open(nullptr, nullptr, &model));
    EXPECT(mine != mbrt_last_error());
  }).join();
  EXPECT(mine == mbrt_last_error());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  test_busy(argv[1]);
  test_free_while_running(argv[1]);
  test_cancel_is_prompt(argv[1]);
  test_timeout_is_prompt(argv[1]);
  test_cancel_before_the_run(argv[1]);
  test_cancel_races(argv[1]);
  test_concurrent_free(argv[1]);
  test_many_callers(argv[1]);
  test_messages_belong_to_a_thread();
  return report("threads");
}
