// native_smoke MODEL...: the thread pool, and whole models on every kernel set of this machine,
// from several threads at once; for the sanitizers. Every text must get the bits that it gets alone
// from one thread of scalar code.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/thread_pool.h"
#include "engine/encoder.h"
#include "engine/schedule.h"
#include "kernels/kernels.h"
#include "model/model_file.h"

namespace {

constexpr std::size_t kCallers = 4;

std::atomic<int> failures{0};

void expect(bool holds, const std::string& what) {
  if (holds) return;
  std::printf("FAILED: %s\n", what.c_str());
  ++failures;
}

template <typename Work>
void from_all_callers(Work work) {
  std::vector<std::thread> callers;
  for (std::size_t caller = 0; caller < kCallers; ++caller) callers.emplace_back(work, caller);
  for (std::thread& caller : callers) caller.join();
}

// After a barrier every thread must see what all did before it.
struct Count {
  std::atomic<std::size_t> arrived{0};
  std::atomic<std::size_t> wrong{0};
  std::atomic<std::size_t> threads{0};
};

void count_threads(void* context, mbrt::ThreadTeam& team, std::size_t index) noexcept {
  Count& count = *static_cast<Count*>(context);
  ++count.threads;
  for (std::size_t round = 1; round <= 20; ++round) {
    ++count.arrived;
    if (team.barrier.wait(0) != 0) ++count.wrong;
    if (count.arrived != round * team.size) ++count.wrong;
    const unsigned flags = round == 20 ? 1u << index : 0;
    if (team.barrier.wait(flags) != (round == 20 ? (1u << team.size) - 1 : 0)) ++count.wrong;
  }
}

void test_thread_pool() {
  from_all_callers([](std::size_t caller) {
    for (std::size_t run = 0; run < 50; ++run) {
      Count count;
      const std::size_t max = 1 + (caller + run) % 5;
      mbrt::ThreadPool::instance().run(max, count_threads, &count);
      expect(count.wrong == 0, "a barrier releases all threads together");
      expect(count.threads >= 1 && count.threads <= max, "a team is not larger than requested");
    }
  });
}

// Which way costs least, with two threads: nothing of this is measured here, so it holds anywhere.
void test_cost_model() {
  const auto ways = [](double megabytes, double read_rows, double layers, double barriers) {
    mbrt::CostModel costs;
    costs.weight_bytes = megabytes * 1e6;
    costs.read_rows = read_rows;
    costs.row_barriers = layers;
    costs.column_barriers = layers * barriers;
    costs.max_sharers = 3;
    std::string found;
    for (const std::size_t rows : {1u, 8u, 12u, 16u, 20u, 28u, 32u, 64u, 512u}) {
      found += "-rc"[static_cast<int>(costs.best(rows, 2))];
      expect(costs.best(rows, 1) == mbrt::Sharing::kNone, "one thread has nothing to share");
    }
    return found;
  };
  expect(ways(20, 2, 24, 14) == "crrrrrrrr", "MobileBERT in int8");
  expect(ways(80, 8, 24, 14) == "cccccccrr", "MobileBERT in fp32");
  expect(ways(10.6, 2, 6, 8) == "ccrrrrrrr", "MiniLM in int8");
  expect(ways(3, 2, 6, 12) == "--rrrrrrr", "the default model");
  expect(ways(0.01, 2, 2, 12) == "---------", "a model of the tests");
}

void test_back_off() {
  using std::chrono::milliseconds;
  mbrt::BackOff back_off;
  mbrt::BackOff::Time now{std::chrono::hours(1)};
  const auto report = [&](int took, int waited) {
    back_off.report(now, milliseconds(took), milliseconds(waited), 2);
  };
  const auto expect_length = [&](int length, const char* what) {
    expect(length == 0 || !back_off.is_over(now + milliseconds(length - 1)), what);
    expect(back_off.is_over(now + milliseconds(length)), what);
    now += milliseconds(length);
  };
  expect_length(0, "the first call may share");
  report(60, 0);
  expect_length(0, "no waiting: half the time of one thread");
  report(60, 29);
  expect_length(0, "31 ms of work, 62 alone");
  report(60, 31);
  expect_length(60, "29 ms of work, 58 alone: as long as the call");
  report(1, 1);
  expect_length(120, "twice as long");
  report(1, 0);
  report(1, 0);
  report(1, 1);
  expect_length(60, "half as long after each success");
  for (int i = 0; i < 9; ++i) report(1, 1);
  expect_length(500, "half a second at most");
  report(2000, 2000);
  expect_length(2000, "or one call");
}

// One text alone, and what came of it.
struct Text {
  std::vector<std::int32_t> ids;
  std::vector<float> hidden, pooled;
};

// Runs the texts, from the given one on and round, as one batch.
void run(const mbrt::Encoder& encoder, const std::vector<Text>& texts, std::size_t first,
         std::size_t threads, std::optional<mbrt::Sharing> sharing, std::vector<float>& hidden,
         std::vector<float>& pooled) {
  std::vector<std::size_t> offsets{0};
  std::vector<std::int32_t> ids;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const Text& text = texts[(first + i) % texts.size()];
    ids.insert(ids.end(), text.ids.begin(), text.ids.end());
    offsets.push_back(ids.size());
  }
  mbrt::Batch batch;
  batch.sequences = texts.size();
  batch.offsets = offsets.data();
  batch.ids = ids.data();
  hidden.resize(ids.size() * encoder.shapes().hidden.stride());
  pooled.resize(texts.size() * encoder.shapes().hidden.stride());
  mbrt::Outputs outputs;
  outputs.last_hidden_state = hidden.data();
  outputs.pooled = pooled.data();
  std::vector<float> logits(ids.size() * encoder.shapes().logits.stride());
  if (!logits.empty()) outputs.logits = logits.data();
  encoder.run(batch, outputs, {}, threads, nullptr, sharing);
}

std::vector<Text> make_texts(const mbrt::Encoder& alone) {
  std::mt19937 random(3);
  std::vector<Text> texts;
  for (std::size_t i = 0; i < 8; ++i) {
    Text text;
    const std::size_t length = 1 + random() % alone.config().max_positions;
    for (std::size_t t = 0; t < length; ++t) {
      text.ids.push_back(static_cast<std::int32_t>(random() % alone.config().vocab_size));
    }
    std::vector<Text> only{text};
    run(alone, only, 0, 1, std::nullopt, text.hidden, text.pooled);
    texts.push_back(std::move(text));
  }
  return texts;
}

void expect_same_bits(const mbrt::Encoder& encoder, const std::vector<Text>& texts,
                      std::size_t first, std::size_t threads, mbrt::Sharing sharing) {
  std::vector<float> hidden, pooled;
  run(encoder, texts, first, threads, sharing, hidden, pooled);
  const std::size_t width = encoder.shapes().hidden.stride();
  const float* at = hidden.data();
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const Text& text = texts[(first + i) % texts.size()];
    const bool same =
        std::memcmp(at, text.hidden.data(), text.hidden.size() * sizeof(float)) == 0 &&
        std::memcmp(pooled.data() + i * width, text.pooled.data(), width * sizeof(float)) == 0;
    expect(same, std::string(encoder.kernels().isa) + ", " + std::to_string(threads) +
                     " threads: the bits of the text alone");
    at += text.hidden.size();
  }
}

// A call that must end in an error of the given class, and leave the model usable.
template <typename Error>
void expect_stop(const mbrt::Encoder& encoder, const mbrt::CallControl& control, const char* what) {
  const std::vector<std::int32_t> ids(5, 0);
  const std::vector<std::size_t> offsets{0, ids.size()};
  mbrt::Batch batch;
  batch.sequences = 1;
  batch.offsets = offsets.data();
  batch.ids = ids.data();
  try {
    encoder.run(batch, {}, control, 2, nullptr, mbrt::Sharing::kRows);
    expect(false, what);
  } catch (const Error&) {
  }
}

void test_model(const std::string& path) {
  const std::shared_ptr<const mbrt::ModelFile> file = mbrt::ModelFile::open(path);
  const std::vector<Text> texts = make_texts(mbrt::Encoder(file, mbrt::kernel_set("scalar")));
  for (const mbrt::KernelSet* set : mbrt::available_kernel_sets()) {
    const mbrt::Encoder encoder(file, *set);
    from_all_callers([&](std::size_t caller) {
      for (std::size_t threads = 1; threads <= 3; ++threads) {
        expect_same_bits(encoder, texts, caller * 5 + threads, threads, mbrt::Sharing::kRows);
        if (caller == 0) encoder.trim();
      }
    });
    for (std::size_t round = 0; round < 24; ++round) {  // one caller: the threads are idle
      expect_same_bits(encoder, {texts[round % texts.size()]}, 0, 2 + round % 3,
                       round % 4 == 0 ? mbrt::Sharing::kRows : mbrt::Sharing::kColumns);
    }
    const std::atomic<bool> cancelled{true};
    mbrt::CallControl control;
    control.cancelled = &cancelled;
    expect_stop<mbrt::CancelledError>(encoder, control, "a cancelled call says so");
    control = {};
    control.deadline = std::chrono::steady_clock::now();
    expect_stop<mbrt::TimeoutError>(encoder, control, "a late call says so");
    expect_same_bits(encoder, texts, 0, 2, mbrt::Sharing::kRows);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    test_thread_pool();
    test_cost_model();
    test_back_off();
    for (int i = 1; i < argc; ++i) test_model(argv[i]);
  } catch (const std::exception& error) {
    expect(false, error.what());
  }
  std::printf("%d models, %d failures\n", argc - 1, failures.load());
  return argc > 1 && failures == 0 ? 0 : 1;
}
