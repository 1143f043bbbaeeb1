// Time and memory of calls, as `mbrt bench` measures them.
#include "tools/measure.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <thread>
#include <vector>

#include "base/process.h"

namespace {

using namespace mbrt::tools;
using mbrt::peak_memory;
using mbrt::reset_peak_memory;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "measure: %s\n", what);
  std::exit(1);
}

void check_percentiles() {
  std::vector<double> times(101);
  std::iota(times.rbegin(), times.rend(), 1.0);
  const Timing found = timing_of(times);
  require(found.p50 == 51 && found.p90 == 91 && found.p99 == 100, "percentiles of 1 to 101");
  require(found.mean == 51 && found.calls == 101, "mean and number of calls");
  require(timing_of({1.0, 2.0}).p50 == 1.5, "percentiles are interpolated");
}

void check_calls() {
  const double slept = time_of([] { std::this_thread::sleep_for(std::chrono::milliseconds(10)); });
  require(slept >= 10 && slept < 1000, "times are in milliseconds");
  int calls = 0;
  const Timing found = measure([&] { ++calls; }, 2, 5, 60.0);
  require(calls == 7 && found.calls == 5, "warm-up calls are not counted");
  require(measure([] {}, 0, 1'000'000'000, 0.01).calls < 100'000'000, "time is limited");
}

void check_peak_memory() {
  constexpr std::size_t kBytes = 80'000'000;
  const auto use_memory = [] {
    std::vector<char> held(kBytes, 1);
    asm volatile("" ::"r"(held.data()) : "memory");  // else a compiler may leave out the allocation
    require(held[kBytes / 2] == 1, "memory is used");
  };
  const bool resets = reset_peak_memory();
  const auto before = peak_memory();
  use_memory();
  const auto high = peak_memory();
  require(before && high && *high > *before + kBytes / 2, "the peak includes freed memory");
  if (!resets) return;  // this system cannot
  require(reset_peak_memory() && *peak_memory() + kBytes / 2 < *high, "the peak can be reset");
}

}  // namespace

int main() {
  check_percentiles();
  check_calls();
  check_peak_memory();
}
