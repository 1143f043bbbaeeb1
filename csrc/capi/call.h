// The object of a call handle: items, settings, and the results of the last run.
#ifndef MBRT_CAPI_CALL_H_
#define MBRT_CAPI_CALL_H_

#include <atomic>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/call_control.h"
#include "capi/model.h"
#include "capi/outputs.h"
#include "capi/status.h"
#include "engine/batch.h"
#include "include/mobilebert_rt.h"
#include "tasks/embedder.h"
#include "tasks/zero_shot.h"

namespace mbrt::capi {

struct Item {
  // Token ids, or ...
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> types;     // empty: all 0
  std::vector<std::uint8_t> key_mask;  // empty: all 1
  // ... a text, or a pair.
  bool is_text = false;
  std::string first;
  std::optional<std::string> second;

  std::optional<std::vector<std::size_t>> logit_tokens;  // nullopt: all

  Text text() const { return {first, second}; }
};

struct TaskSettings {
  mbrt_task task = MBRT_TASK_NONE;
  mbrt_task_options options{};       // but for its pointers
  ZeroShotOptions zero_shot;         // MBRT_TASK_ZERO_SHOT
  std::vector<std::string> targets;  // MBRT_TASK_FILL; empty: all tokens
};

struct Settings {
  std::uint32_t outputs = MBRT_LAST_HIDDEN_STATE;
  TaskSettings task;
  std::size_t threads = 0;
  double timeout = INFINITY;  // seconds
  std::size_t max_tokens = 0;
  mbrt_overflow overflow = MBRT_OVERFLOW_DEFAULT;
  std::size_t stride = 0;
  EmbedderOptions embedding;  // but for its limits
};

// mbrt_result with owned strings.
struct Found {
  std::string label;
  std::string text;
  std::size_t begin, end, group;
  std::int32_t id;
  float score;
};

struct Results {
  std::uint32_t outputs = 0;  // what the last run computed
  Layout layout;
  std::vector<std::vector<mbrt_token>> tokens;           // of each item; empty for token ids
  std::optional<std::vector<std::vector<Found>>> found;  // of each item, after a task

  void clear();
};

class Call {
 public:
  explicit Call(std::shared_ptr<const Model> of) : model(std::move(of)) {}

  // Computes the outputs or the task of the settings.
  void run();

  const std::shared_ptr<const Model> model;
  std::vector<Item> items;
  Settings settings;
  Results results;
  OutputBuffers buffers;

  std::atomic<bool> cancelled{false};
  std::atomic<bool> in_use{false};
  bool freed = false;  // guarded by in_use

 private:
  std::vector<Text> texts() const;
  void run_embedder(const RunOptions& run);
  PackedSequences pack(const CallControl& control, std::vector<std::size_t>* logit_tokens,
                       std::vector<std::size_t>* unpooled);
  void run_outputs(const RunOptions& run);
};

// A text, or a pair when second is not NULL; see text_of.
Text text_of_pair(const char* first, std::size_t first_bytes, const char* second,
                  std::size_t second_bytes);

// The tokens of an encoding with offsets.
std::vector<mbrt_token> tokens_of(const text::Encoding& encoding);

// The results of a task (MBRT_TASK_CLASSIFY ...) for texts.
std::vector<std::vector<Found>> run_task(const Model& model, const TaskSettings& settings,
                                         const TaskOptions& limits, const std::vector<Text>& texts,
                                         const RunOptions& run);

// InputError and UnsupportedModelError unless the model supports the task with these options.
TaskSettings task_settings(const Model& model, mbrt_task task, const mbrt_task_options& options);

// The limits of the settings as options of the tasks.
TaskOptions limits_of(const Settings& settings);

// values[number], for an enumerator of the header.
template <typename Value, std::size_t kCount>
const Value& choice(const Value (&values)[kCount], std::int32_t number, const char* name) {
  const auto i = static_cast<std::size_t>(number);
  if (i >= kCount) fail_range(name, i, 0, kCount - 1);
  return values[i];
}

// In the order of mbrt_overflow; nullopt: the task's default.
inline constexpr std::optional<OnOverflow> kOverflows[] = {
    std::nullopt, OnOverflow::kError, OnOverflow::kTruncate, OnOverflow::kStride};

// Failure (MBRT_ERROR_HANDLE) for an invalid handle.
std::shared_ptr<Call> call_of(mbrt_call handle);

// Exclusive use of a call. Failure: MBRT_ERROR_HANDLE, or MBRT_ERROR_BUSY when another thread uses it.
class Hold {
 public:
  explicit Hold(mbrt_call handle);
  ~Hold() { call_->in_use.store(false, std::memory_order_release); }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;

  Call* operator->() const { return call_.get(); }
  Call& operator*() const { return *call_; }

 private:
  std::shared_ptr<Call> call_;
};

// The status of body(call), which has exclusive use of the call.
template <typename Body>
mbrt_status on_call(mbrt_call handle, const Body& body) noexcept {
  return guarded([&] { body(*Hold(handle)); });
}

}  // namespace mbrt::capi

#endif  // MBRT_CAPI_CALL_H_
