// native_smoke MODEL...: the thread pool, and whole models on every kernel set of this machine,
// from several threads at once; for the sanitizers. Every text must get the bits that it gets alone
// from one thread of scalar code.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/thread_pool.h"
#include "engine/encoder.h"
#include "engine/worker.h"
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

// Of two workers that share a panel, the first continues alone when the other is often late.
void test_fall_back() {
  mbrt::ThreadTeam team(2);
  const auto rounds_until_fall_back = [&team](std::size_t index) {
    mbrt::Worker worker(team, index, true, nullptr);
    int rounds = 1;
    for (; rounds < 100 && worker.part(2).size() == 1; ++rounds) {
      if (index == 1) std::this_thread::sleep_for(std::chrono::milliseconds(5));
      if (worker.team_barrier(false, mbrt::kCallStage) == mbrt::Progress::kIdle) break;
    }
    if (index == 0) {
      worker.panel_barrier(mbrt::kCallStage);
      expect(worker.team_barrier(false, mbrt::kCallStage) == mbrt::Progress::kContinue,
             "the first worker can continue");
      expect(worker.team_barrier(true, mbrt::kCallStage) == mbrt::Progress::kStop,
             "the first worker can stop");
    }
    return rounds;
  };
  int late = 0;
  std::thread other([&] { late = rounds_until_fall_back(1); });
  const int first = rounds_until_fall_back(0);
  other.join();
  expect(first < 100 && first == late + 1, "workers fall back at the same barrier");
  expect(team.barrier.long_waits() > 0, "long waits are counted");
}

// One text alone, and what came of it.
struct Text {
  std::vector<std::int32_t> ids;
  std::vector<float> hidden, pooled;
};

// Runs the texts, from the given one on and round, as one batch.
void run(const mbrt::Encoder& encoder, const std::vector<Text>& texts, std::size_t first,
         std::size_t threads, std::vector<float>& hidden, std::vector<float>& pooled) {
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
  encoder.run(batch, outputs, {}, threads);
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
    run(alone, only, 0, 1, text.hidden, text.pooled);
    texts.push_back(std::move(text));
  }
  return texts;
}

void expect_same_bits(const mbrt::Encoder& encoder, const std::vector<Text>& texts,
                      std::size_t first, std::size_t threads) {
  std::vector<float> hidden, pooled;
  run(encoder, texts, first, threads, hidden, pooled);
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
    encoder.run(batch, {}, control, 2);
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
        expect_same_bits(encoder, texts, caller * 5 + threads, threads);
        if (caller == 0) encoder.trim();
      }
    });
    // One caller, so that threads may share a text's columns; the sanitizers make them so slow that
    // teams part wherever they meet. A new encoder does not know that another's team had to.
    for (std::size_t round = 0; round < 24; ++round) {
      const mbrt::Encoder fresh(file, *set);
      expect_same_bits(fresh, {texts[round % texts.size()]}, 0, 2 + round % 3);
    }
    const std::atomic<bool> cancelled{true};
    mbrt::CallControl control;
    control.cancelled = &cancelled;
    expect_stop<mbrt::CancelledError>(encoder, control, "a cancelled call says so");
    control = {};
    control.deadline = std::chrono::steady_clock::now();
    expect_stop<mbrt::TimeoutError>(encoder, control, "a late call says so");
    expect_same_bits(encoder, texts, 0, 2);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    test_thread_pool();
    test_fall_back();
    for (int i = 1; i < argc; ++i) test_model(argv[i]);
  } catch (const std::exception& error) {
    expect(false, error.what());
  }
  std::printf("%d models, %d failures\n", argc - 1, failures.load());
  return argc > 1 && failures == 0 ? 0 : 1;
}
