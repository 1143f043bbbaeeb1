// infer count|time MODEL TOKENS RUNS [ISA]: one text of TOKENS tokens through the model, RUNS
// times, on one thread.
//
// count runs it and is silent, for an emulator that counts instructions: the difference of two
// numbers of runs is the runs' own, since start-up, loading and the first run's memory are in both.
// time prints a line of JSON for each run: what the clock and, where the system allows it, the
// processor's own counters say.
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/encoder.h"
#include "kernels/kernels.h"
#include "model/model_file.h"

#ifdef __linux__
#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace {

// One of the processor's own counters, for this thread outside the kernel; -1 where there is none.
class HardwareCounter {
 public:
#ifdef __linux__
  explicit HardwareCounter(std::uint64_t event) {
    perf_event_attr wanted{};
    wanted.type = PERF_TYPE_HARDWARE;
    wanted.size = sizeof(wanted);
    wanted.config = event;
    wanted.exclude_kernel = 1;
    wanted.exclude_hv = 1;
    file_ = static_cast<int>(syscall(SYS_perf_event_open, &wanted, 0, -1, -1, 0));
  }
  ~HardwareCounter() {
    if (file_ >= 0) close(file_);
  }
  long long read() const {
    std::uint64_t count = 0;
    const bool counted = file_ >= 0 && ::read(file_, &count, sizeof(count)) == sizeof(count);
    return counted ? static_cast<long long>(count) : -1;
  }

 private:
  int file_ = -1;
#else
  explicit HardwareCounter(int) {}
  long long read() const { return -1; }
#endif

 public:
  HardwareCounter(const HardwareCounter&) = delete;
  HardwareCounter& operator=(const HardwareCounter&) = delete;
};

#ifdef __linux__
constexpr auto kInstructions = PERF_COUNT_HW_INSTRUCTIONS;
constexpr auto kCycles = PERF_COUNT_HW_CPU_CYCLES;
#else
constexpr int kInstructions = 0;
constexpr int kCycles = 0;
#endif

long long since(long long before, long long now) { return before < 0 ? -1 : now - before; }

std::size_t positive(const char* text, const char* what) {
  char* end = nullptr;
  errno = 0;
  const unsigned long long value = std::strtoull(text, &end, 10);
  if (errno != 0 || *end != '\0' || value == 0 || value > 1'000'000) {
    throw mbrt::InputError(std::string(what) + " is \"" + text + "\"; give a whole number from 1");
  }
  return static_cast<std::size_t>(value);
}

// Any ids do: neither the instructions nor their order depend on them.
std::vector<std::int32_t> make_ids(std::size_t tokens, std::size_t vocabulary) {
  std::vector<std::int32_t> ids(tokens);
  for (std::size_t i = 0; i < tokens; ++i) {
    ids[i] = static_cast<std::int32_t>((i * 7919 + 101) % vocabulary);
  }
  return ids;
}

void run(const mbrt::Encoder& encoder, std::size_t tokens, std::size_t runs, bool timed) {
  const std::vector<std::int32_t> ids = make_ids(tokens, encoder.config().vocab_size);
  const std::vector<std::size_t> offsets{0, tokens};
  mbrt::Batch batch;
  batch.sequences = 1;
  batch.offsets = offsets.data();
  batch.ids = ids.data();
  std::vector<float> hidden(tokens * encoder.widths().hidden);
  std::vector<float> pooled(encoder.widths().hidden);
  mbrt::Outputs outputs;
  outputs.last_hidden_state = hidden.data();
  outputs.pooled = pooled.data();

  for (std::size_t run = 0; !timed && run < runs; ++run) encoder.run(batch, outputs, {}, 1);
  const HardwareCounter instructions(kInstructions);
  const HardwareCounter cycles(kCycles);
  for (std::size_t run = 0; timed && run < runs; ++run) {
    const long long retired = instructions.read();
    const long long cycle = cycles.read();
    const auto begin = std::chrono::steady_clock::now();
    encoder.run(batch, outputs, {}, 1);
    const std::chrono::duration<double, std::milli> passed =
        std::chrono::steady_clock::now() - begin;
    std::printf(
        "{\"isa\": \"%s\", \"tokens\": %zu, \"milliseconds\": %.4f, \"instructions\": %lld, "
        "\"cycles\": %lld}\n",
        encoder.kernels().isa, tokens, passed.count(), since(retired, instructions.read()),
        since(cycle, cycles.read()));
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (argc < 5 || argc > 6 || (mode != "count" && mode != "time")) {
    std::fprintf(stderr, "usage: infer count|time MODEL TOKENS RUNS [ISA]\n");
    return 2;
  }
  try {
    const std::size_t tokens = positive(argv[3], "TOKENS");
    const std::size_t runs = positive(argv[4], "RUNS");
    const mbrt::KernelSet& kernels =
        argc == 6 ? mbrt::kernel_set(argv[5]) : mbrt::default_kernel_set();
    run(mbrt::Encoder(mbrt::ModelFile::open(argv[2]), kernels), tokens, runs, mode == "time");
  } catch (const std::exception& error) {
    std::fprintf(stderr, "infer: %s\n", error.what());
    return 1;
  }
  return 0;
}
