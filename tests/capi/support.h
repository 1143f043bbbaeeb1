// Shared by the programs that test the C API. A program counts failed checks and continues.
#ifndef MBRT_TESTS_CAPI_SUPPORT_H_
#define MBRT_TESTS_CAPI_SUPPORT_H_

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "mobilebert_rt.h"

inline std::atomic<int> checks{0};
inline std::atomic<int> failures{0};

inline void expect_at(int line, bool holds, const std::string& what) {
  ++checks;
  if (holds) return;
  std::printf("FAILED, line %d: %s\n", line, what.c_str());
  ++failures;
}

// Checks the status; an error must have a message.
inline void expect_status_at(int line, mbrt_status wanted, mbrt_status status, const char* call) {
  expect_at(line, status == wanted,
            std::string(call) + " is " + mbrt_status_name(status) + ", not " +
                mbrt_status_name(wanted) + "; last error: " + mbrt_last_error());
  if (status != MBRT_OK) expect_at(line, mbrt_last_error()[0] != '\0', "a failure has a message");
}

#define EXPECT(condition) expect_at(__LINE__, (condition), #condition)
#define EXPECT_STATUS(wanted, call) expect_status_at(__LINE__, (wanted), (call), #call)
#define EXPECT_OK(call) EXPECT_STATUS(MBRT_OK, call)

inline std::string model_path(const char* folder, const char* name) {
  return std::string(folder) + "/" + name + ".safetensors";
}

inline mbrt_model open_model(const char* folder, const char* name) {
  mbrt_model model{};
  EXPECT_OK(mbrt_model_open(model_path(folder, name).c_str(), nullptr, &model));
  return model;
}

inline mbrt_call new_call(mbrt_model model) {
  mbrt_call call{};
  EXPECT_OK(mbrt_call_new(model, &call));
  return call;
}

// Token ids below 37, the smallest vocabulary of the models.
inline std::vector<std::int32_t> some_ids(std::size_t count, std::size_t start = 0) {
  std::vector<std::int32_t> ids(count);
  for (std::size_t i = 0; i < count; ++i) ids[i] = static_cast<std::int32_t>((i * i + start) % 37);
  return ids;
}

inline void add_ids(mbrt_call call, const std::vector<std::int32_t>& ids) {
  EXPECT_OK(mbrt_call_add_ids(call, ids.data(), nullptr, nullptr, ids.size()));
}

inline std::vector<float> copy_of(mbrt_call call, std::uint32_t output, std::size_t item) {
  std::size_t needed = 0;
  const mbrt_status status = mbrt_call_copy(call, output, 0, item, nullptr, 0, &needed);
  EXPECT(status == MBRT_ERROR_BUFFER);
  std::vector<float> values(needed);
  EXPECT_OK(mbrt_call_copy(call, output, 0, item, values.data(), needed, nullptr));
  return values;
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && !a.empty() &&
         std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// The last hidden state of the ids, from a new call.
inline std::vector<float> hidden_of(mbrt_model model, const std::vector<std::int32_t>& ids) {
  const mbrt_call call = new_call(model);
  add_ids(call, ids);
  EXPECT_OK(mbrt_call_run(call));
  std::vector<float> hidden = copy_of(call, MBRT_LAST_HIDDEN_STATE, 0);
  EXPECT_OK(mbrt_call_free(call));
  return hidden;
}

inline int report(const char* program) {
  std::printf("%s: %d checks, %d failures\n", program, checks.load(), failures.load());
  return failures == 0 && checks > 0 ? 0 : 1;
}

#endif  // MBRT_TESTS_CAPI_SUPPORT_H_
