#include "engine/profile.h"

#include <algorithm>

#include "base/error.h"

namespace mbrt {
namespace {

// In the order of Operation.
constexpr const char* kNames[] = {
    "waiting",
    "embeddings",
    "embeddings.projection",
    "bottleneck.input",
    "bottleneck.attention",
    "query",
    "key",
    "value",
    "store",
    "scores",
    "softmax",
    "context",
    "attention.output",
    "output_bottleneck",
    "quantise",
    "activation",
    "layer_norm",
    "outputs",
    "pooler",
    "mlm.transform",
    "mlm.decoder",
    "classifier",
    "next_sentence",
};
static_assert(std::size(kNames) == static_cast<std::size_t>(Operation::kFfn));

std::uint64_t nanoseconds_between(std::chrono::steady_clock::time_point begin,
                                  std::chrono::steady_clock::time_point end) {
  using std::chrono::nanoseconds;
  return static_cast<std::uint64_t>(std::chrono::duration_cast<nanoseconds>(end - begin).count());
}

}  // namespace

std::string operation_name(std::size_t operation) {
  if (operation < std::size(kNames)) return kNames[operation];
  const std::size_t ffn = operation - std::size(kNames);
  return "ffn." + std::to_string(ffn / 2) + (ffn % 2 == 0 ? ".intermediate" : ".output");
}

void Track::start(Clock::time_point now) {
  std::fill(totals_.begin(), totals_.end(), Total{});
  event_count_ = 0;
  dropped_ = 0;
  started_ = now;
  last_ = 0;
}

void Track::mark(Spot spot, std::size_t rows, const Work& work) noexcept {
  const std::uint64_t now = nanoseconds_between(started_, Clock::now());
  Total& total = totals_[spot.stage * kOperations + static_cast<std::size_t>(spot.operation)];
  ++total.calls;
  total.nanoseconds += now - last_;
  (work.precision == Precision::kInt8 ? total.macs_s8 : total.macs_f32) += work.macs;
  total.weight_bytes += work.weight_bytes;
  if (event_count_ < kMaxEvents) {
    events_[event_count_++] = {
        .begin = last_, .end = now, .rows = static_cast<std::uint32_t>(rows), .spot = spot};
  } else {
    ++dropped_;
  }
  last_ = now;
}

Profile::Profile(std::size_t layers, std::size_t threads) : stages_(layer_stage(layers)) {
  tracks_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) tracks_.push_back(std::make_unique<Track>(stages_));
}

void Profile::start(std::size_t layers, std::size_t threads) {
  if (stages_ != layer_stage(layers) || threads > tracks_.size()) {
    throw InputError("profile: made for " + std::to_string(tracks_.size()) +
                     " threads and a model of " + std::to_string(stages_ - kFirstLayerStage) +
                     " layers; this call has up to " + std::to_string(threads) + " threads and " +
                     std::to_string(layers) + " layers. Make a profile for this model.");
  }
  if (busy_.exchange(true)) {
    throw InputError("profile: in use by another call; give each call its own.");
  }
  nanoseconds_ = 0;
  // All tables are cleared before the clock starts.
  for (const std::unique_ptr<Track>& track : tracks_) track->start({});
  started_ = Track::Clock::now();
  for (const std::unique_ptr<Track>& track : tracks_) track->started_ = started_;
}

void Profile::stop() {
  nanoseconds_ = nanoseconds_between(started_, Track::Clock::now());
  busy_ = false;
}

void Profile::check_idle() const {
  if (busy_) throw InputError("profile: a call is still writing it; read it after the call.");
}

}  // namespace mbrt
