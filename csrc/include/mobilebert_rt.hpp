// mobilebert_rt for C++17: mobilebert_rt.h with owning classes and exceptions. Header only; the comments
// of mobilebert_rt.h apply here too.
//
//   const auto model = mobilebert_rt::Model::open("minilm.safetensors");
//   auto call = model.call();
//   call.want(MBRT_EMBEDDING).add("A cat sleeps.").run();
//   const std::vector<float> vector = call.values(MBRT_EMBEDDING, 0);
#ifndef MOBILEBERT_RT_HPP_
#define MOBILEBERT_RT_HPP_

#include <cstddef>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mobilebert_rt.h"

namespace mobilebert_rt {

class Error : public std::runtime_error {
 public:
  Error(mbrt_status status, const std::string& message)
      : std::runtime_error(message), status_(status) {}
  mbrt_status status() const noexcept { return status_; }

 private:
  mbrt_status status_;
};

// One class per status; MBRT_ERROR_MEMORY is std::bad_alloc, MBRT_ERROR_INTERNAL is Error.
template <mbrt_status kStatus>
class ErrorOf : public Error {
 public:
  explicit ErrorOf(const std::string& message) : Error(kStatus, message) {}
};
using InputError = ErrorOf<MBRT_ERROR_INPUT>;
using ModelFormatError = ErrorOf<MBRT_ERROR_MODEL_FORMAT>;
using UnsupportedModelError = ErrorOf<MBRT_ERROR_UNSUPPORTED_MODEL>;
using CancelledError = ErrorOf<MBRT_ERROR_CANCELLED>;
using TimeoutError = ErrorOf<MBRT_ERROR_TIMEOUT>;
using HandleError = ErrorOf<MBRT_ERROR_HANDLE>;
using BusyError = ErrorOf<MBRT_ERROR_BUSY>;
using BufferError = ErrorOf<MBRT_ERROR_BUFFER>;
using NoResultError = ErrorOf<MBRT_ERROR_NO_RESULT>;

// Throws the exception for a status, with the calling thread's last error.
inline void check(mbrt_status status) {
  const auto message = [] { return std::string(mbrt_last_error()); };
  switch (status) {
    case MBRT_OK:
      return;
    case MBRT_ERROR_INPUT:
      throw InputError(message());
    case MBRT_ERROR_MODEL_FORMAT:
      throw ModelFormatError(message());
    case MBRT_ERROR_UNSUPPORTED_MODEL:
      throw UnsupportedModelError(message());
    case MBRT_ERROR_CANCELLED:
      throw CancelledError(message());
    case MBRT_ERROR_TIMEOUT:
      throw TimeoutError(message());
    case MBRT_ERROR_HANDLE:
      throw HandleError(message());
    case MBRT_ERROR_BUSY:
      throw BusyError(message());
    case MBRT_ERROR_BUFFER:
      throw BufferError(message());
    case MBRT_ERROR_NO_RESULT:
      throw NoResultError(message());
    case MBRT_ERROR_MEMORY:
      throw std::bad_alloc();
    default:
      throw Error(status, message());
  }
}

// Owns a call; movable. Setters return the call for chaining.
class Call {
 public:
  explicit Call(mbrt_model model) { check(mbrt_call_new(model, &call_)); }
  // Must not be destroyed while another thread runs it: the call would leak.
  ~Call() { mbrt_call_free(call_); }
  Call(Call&& other) noexcept : call_(std::exchange(other.call_, {})) {}
  Call& operator=(Call&& other) noexcept {
    std::swap(call_, other.call_);
    return *this;
  }

  // A text, or a pair of texts.
  Call& add(std::string_view text) {
    check(mbrt_call_add_text(call_, text.data(), text.size()));
    return *this;
  }
  Call& add(std::string_view first, std::string_view second) {
    check(mbrt_call_add_pair(call_, first.data(), first.size(), second.data(), second.size()));
    return *this;
  }
  // Token ids; types and key_mask are empty, or as long as ids.
  Call& add_ids(const std::vector<std::int32_t>& ids, const std::vector<std::int32_t>& types = {},
                const std::vector<std::uint8_t>& key_mask = {}) {
    if ((!types.empty() && types.size() != ids.size()) ||
        (!key_mask.empty() && key_mask.size() != ids.size())) {
      throw InputError("types and key_mask must be empty or as long as ids");
    }
    check(mbrt_call_add_ids(call_, ids.data(), types.empty() ? nullptr : types.data(),
                            key_mask.empty() ? nullptr : key_mask.data(), ids.size()));
    return *this;
  }

  Call& want(std::uint32_t outputs) {
    check(mbrt_call_set_outputs(call_, outputs));
    return *this;
  }
  Call& task(mbrt_task task, mbrt_task_options options = {}) {
    options.struct_size = sizeof options;
    check(mbrt_call_set_task(call_, task, &options));
    return *this;
  }
  Call& logit_tokens(std::size_t item, const std::vector<std::size_t>& tokens) {
    check(mbrt_call_set_logit_tokens(call_, item, tokens.data(), tokens.size()));
    return *this;
  }
  Call& embedding(mbrt_embedding_options options) {
    options.struct_size = sizeof options;
    check(mbrt_call_set_embedding(call_, &options));
    return *this;
  }
  Call& threads(std::size_t threads) {
    check(mbrt_call_set_threads(call_, threads));
    return *this;
  }
  Call& timeout(double seconds) {
    check(mbrt_call_set_timeout(call_, seconds));
    return *this;
  }
  Call& limits(std::size_t max_tokens, mbrt_overflow overflow, std::size_t stride = 0) {
    check(mbrt_call_set_limits(call_, max_tokens, overflow, stride));
    return *this;
  }

  Call& run() {
    check(mbrt_call_run(call_));
    return *this;
  }
  // From any thread.
  void cancel() { check(mbrt_call_cancel(call_)); }
  Call& clear() {
    check(mbrt_call_clear(call_));
    return *this;
  }

  // A view of one output of one item, or a copy of it, [rows][columns].
  mbrt_view view(std::uint32_t output, std::size_t item, std::size_t layer = 0) const {
    mbrt_view view{};
    view.struct_size = sizeof view;
    check(mbrt_call_view(call_, output, layer, item, &view));
    return view;
  }
  std::vector<float> values(std::uint32_t output, std::size_t item, std::size_t layer = 0) const {
    const mbrt_view from = view(output, item, layer);
    std::vector<float> copy(from.rows * from.columns);
    check(mbrt_call_copy(call_, output, layer, item, copy.data(), copy.size(), nullptr));
    return copy;
  }
  std::vector<mbrt_token> tokens(std::size_t item) const {
    const mbrt_token* first = nullptr;
    std::size_t count = 0;
    check(mbrt_call_tokens(call_, item, &first, &count));
    return {first, first + count};
  }
  // The results of a task for an item. The strings are valid until the call is cleared, run or freed.
  std::vector<mbrt_result> results(std::size_t item) const {
    std::size_t count = 0;
    check(mbrt_call_result_count(call_, item, &count));
    std::vector<mbrt_result> results(count);
    for (std::size_t i = 0; i < count; ++i) {
      results[i].struct_size = sizeof results[i];
      check(mbrt_call_result(call_, item, i, &results[i]));
    }
    return results;
  }

  mbrt_call handle() const noexcept { return call_; }

 private:
  mbrt_call call_{};
};

// Owns a model; movable. Calls made from it outlive it.
class Model {
 public:
  // isa: a kernel set, or null for the default.
  static Model open(const std::string& path, const char* isa = nullptr) {
    const mbrt_model_options options{sizeof options, isa};
    Model model;
    check(mbrt_model_open(path.c_str(), &options, &model.model_));
    return model;
  }
  // The bytes must stay until the model and all its calls are gone.
  static Model from_memory(const void* data, std::size_t size, const char* isa = nullptr) {
    const mbrt_model_options options{sizeof options, isa};
    Model model;
    check(mbrt_model_open_memory(data, size, nullptr, nullptr, &options, &model.model_));
    return model;
  }

  ~Model() { mbrt_model_close(model_); }
  Model(Model&& other) noexcept : model_(std::exchange(other.model_, {})) {}
  Model& operator=(Model&& other) noexcept {
    std::swap(model_, other.model_);
    return *this;
  }

  Call call() const { return Call(model_); }

  mbrt_model_info info() const {
    mbrt_model_info info{};
    info.struct_size = sizeof info;
    check(mbrt_model_get_info(model_, &info));
    return info;
  }
  std::string metadata(const std::string& key) const {
    const char* value = nullptr;
    std::size_t bytes = 0;
    check(mbrt_model_metadata(model_, key.c_str(), &value, &bytes));
    return {value, bytes};
  }
  std::string label(std::size_t index) const {
    const char* label = nullptr;
    check(mbrt_model_label(model_, index, &label));
    return label;
  }
  std::vector<mbrt_token> tokenize(std::string_view text) const {
    std::size_t count = 0;
    mbrt_status status =
        mbrt_model_tokenize(model_, text.data(), text.size(), nullptr, 0, nullptr, 0, &count);
    if (status != MBRT_ERROR_BUFFER) check(status);
    std::vector<mbrt_token> tokens(count);
    check(mbrt_model_tokenize(model_, text.data(), text.size(), nullptr, 0, tokens.data(), count,
                              &count));
    return tokens;
  }
  std::string piece(std::int32_t id) const {
    std::size_t needed = 0;
    const mbrt_status status = mbrt_model_piece(model_, id, nullptr, 0, &needed);
    if (status != MBRT_ERROR_BUFFER) check(status);
    std::string piece(needed, '\0');
    check(mbrt_model_piece(model_, id, piece.data(), needed, nullptr));
    piece.pop_back();  // the zero byte
    return piece;
  }
  mbrt_plan plan(const std::vector<std::size_t>& lengths, std::uint32_t outputs,
                 std::size_t threads = 0) const {
    mbrt_plan plan{};
    plan.struct_size = sizeof plan;
    check(mbrt_model_plan(model_, lengths.data(), lengths.size(), threads, outputs, &plan));
    return plan;
  }
  std::size_t trim() const {
    std::size_t freed = 0;
    check(mbrt_model_trim(model_, &freed));
    return freed;
  }

  mbrt_model handle() const noexcept { return model_; }

 private:
  Model() = default;
  mbrt_model model_{};
};

}  // namespace mobilebert_rt

#endif  // MOBILEBERT_RT_HPP_
