// Where the time of a call goes: what each of its threads did, by operation and stage.
//
// A thread marks the end of every operation; the operation's time is the time since the previous
// mark. That is one clock read per operation, and no time is left out. A call without a profile has
// null tracks and pays one test per operation.
//
// Totals are always complete. A trace keeps up to kMaxEvents events per thread; later ones are only
// counted.
#ifndef MBRT_ENGINE_PROFILE_H_
#define MBRT_ENGINE_PROFILE_H_

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "model/config.h"

namespace mbrt {

enum class Operation : std::uint8_t {
  kWaiting,     // for other threads: at the start, at barriers and at the end
  kEmbeddings,  // table rows added and gathered
  kEmbeddingProjection,
  kBottleneckInput,
  kBottleneckAttention,
  kQuery,
  kKey,
  kValue,
  kStore,   // queries, keys and values for attention
  kScores,  // query times keys
  kSoftmax,
  kContext,  // weights times values
  kAttentionOutput,
  kOutputBottleneck,
  kQuantise,
  kActivation,  // unless it is part of the product, as ReLU is
  kLayerNorm,
  kOutputs,  // copies for the caller
  kPooler,
  kMlmTransform,
  kMlmDecoder,
  kClassifier,
  kNextSentence,
  kFfn,  // and the following: ffn.0.intermediate, ffn.0.output, ffn.1.intermediate...
};

inline constexpr std::size_t kMaxFfns = 16;
inline constexpr std::size_t kOperations = static_cast<std::size_t>(Operation::kFfn) + 2 * kMaxFfns;

constexpr Operation ffn_intermediate(std::size_t ffn) {
  return static_cast<Operation>(static_cast<std::size_t>(Operation::kFfn) + 2 * ffn);
}
constexpr Operation ffn_output(std::size_t ffn) {
  return static_cast<Operation>(static_cast<std::size_t>(ffn_intermediate(ffn)) + 1);
}
std::string operation_name(std::size_t operation);  // below kOperations

// The parts of a call: the call itself, embeddings, head, and then the layers.
using Stage = std::uint16_t;
inline constexpr Stage kCallStage = 0, kEmbeddingsStage = 1, kHeadStage = 2, kFirstLayerStage = 3;
constexpr Stage layer_stage(std::size_t layer) {
  return static_cast<Stage>(kFirstLayerStage + layer);
}

// An operation and its place in the model.
struct Spot {
  Operation operation;
  Stage stage;
};

// The work of an operation, from the shapes without padding.
struct Work {
  std::size_t macs = 0;  // multiply-accumulates of its products
  Precision precision = Precision::kFp32;
  std::size_t weight_bytes = 0;  // of the model file, packed
};

// Sums over the operations at one spot.
struct Total {
  std::uint64_t calls = 0;
  std::uint64_t nanoseconds = 0;
  std::uint64_t macs_s8 = 0;
  std::uint64_t macs_f32 = 0;
  std::uint64_t weight_bytes = 0;
};

// Nanoseconds are counted from the beginning of the call.
struct Event {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint32_t rows = 0;
  Spot spot{Operation::kWaiting, kCallStage};
};

// The trace of one thread, written by that thread only.
class alignas(64) Track {
 public:
  static constexpr std::size_t kMaxEvents = std::size_t{1} << 16;

  explicit Track(std::size_t stages) : totals_(stages * kOperations), events_(kMaxEvents) {}

  // The time since the previous mark was spent in this operation.
  void mark(Spot spot, std::size_t rows, const Work& work = {}) noexcept;

  const Total& total(std::size_t stage, std::size_t operation) const {
    return totals_[stage * kOperations + operation];
  }
  const std::vector<Event>& events() const { return events_; }
  std::size_t event_count() const { return event_count_; }
  std::size_t dropped_events() const { return dropped_; }

 private:
  friend class Profile;
  using Clock = std::chrono::steady_clock;
  void start(Clock::time_point now);

  std::vector<Total> totals_;  // [stages][kOperations]
  std::vector<Event> events_;  // the first event_count_ of them
  std::size_t event_count_ = 0;
  std::size_t dropped_ = 0;
  Clock::time_point started_;
  std::uint64_t last_ = 0;
};

// Marks the end of an operation, if the call is profiled.
inline void mark(Track* track, Spot spot, std::size_t rows, const Work& work = {}) noexcept {
  if (track != nullptr) track->mark(spot, rows, work);
}

// Allocated once; each profiled call overwrites it.
class Profile {
 public:
  Profile(std::size_t layers, std::size_t threads);

  // Throws InputError when the profile is for another model or for fewer threads, or when another
  // call is using it.
  void start(std::size_t layers, std::size_t threads);
  void stop();
  // Throws InputError while a call is writing.
  void check_idle() const;

  Track& track(std::size_t thread) { return *tracks_[thread]; }
  const Track& track(std::size_t thread) const { return *tracks_[thread]; }
  std::size_t threads() const { return tracks_.size(); }
  std::size_t stages() const { return stages_; }
  std::uint64_t nanoseconds() const { return nanoseconds_; }  // of the whole call

 private:
  std::size_t stages_;
  std::vector<std::unique_ptr<Track>> tracks_;
  Track::Clock::time_point started_;
  std::uint64_t nanoseconds_ = 0;
  std::atomic<bool> busy_{false};
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_PROFILE_H_
