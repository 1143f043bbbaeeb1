// handles FOLDER: every function returns MBRT_ERROR_HANDLE for an invalid, freed or wrong handle, also
// after its slot was reused; a forked child can use its parent's handles. Also run with sanitizers.
#include <random>

#include "support.h"
#include "support/platform.h"

namespace {

// Every function that takes a handle, with otherwise valid arguments.
void expect_model_status(mbrt_status wanted, mbrt_model model) {
  mbrt_call call{};
  mbrt_model_info info{};
  info.struct_size = sizeof info;
  mbrt_plan plan{};
  plan.struct_size = sizeof plan;
  const char* text = nullptr;
  std::size_t count = 0;
  const std::size_t length = 3;
  EXPECT_STATUS(wanted, mbrt_model_get_info(model, &info));
  EXPECT_STATUS(wanted, mbrt_model_metadata(model, "config", &text, nullptr));
  EXPECT_STATUS(wanted, mbrt_model_label(model, 0, &text));
  EXPECT_STATUS(wanted, mbrt_model_tokenize(model, "a", 1, nullptr, 0, nullptr, 0, &count));
  EXPECT_STATUS(wanted, mbrt_model_piece(model, 3, nullptr, 0, &count));
  EXPECT_STATUS(wanted, mbrt_model_plan(model, &length, 1, 1, MBRT_POOLED, &plan));
  EXPECT_STATUS(wanted, mbrt_model_trim(model, nullptr));
  EXPECT_STATUS(wanted, mbrt_call_new(model, &call));
  EXPECT_STATUS(wanted, mbrt_model_close(model));
  EXPECT(call.id == 0 && text == nullptr && count == 0 && info.hidden_size == 0);
}

void expect_call_status(mbrt_status wanted, mbrt_call call) {
  const std::int32_t id = 1;
  const std::size_t place = 0;
  std::size_t count = 0;
  mbrt_view view{};
  view.struct_size = sizeof view;
  mbrt_result result{};
  result.struct_size = sizeof result;
  const mbrt_token* tokens = nullptr;
  EXPECT_STATUS(wanted, mbrt_call_add_ids(call, &id, nullptr, nullptr, 1));
  EXPECT_STATUS(wanted, mbrt_call_add_text(call, "a", 1));
  EXPECT_STATUS(wanted, mbrt_call_add_pair(call, "a", 1, "b", 1));
  EXPECT_STATUS(wanted, mbrt_call_set_outputs(call, MBRT_LAST_HIDDEN_STATE));
  EXPECT_STATUS(wanted, mbrt_call_set_logit_tokens(call, 0, &place, 1));
  EXPECT_STATUS(wanted, mbrt_call_set_task(call, MBRT_TASK_NONE, nullptr));
  EXPECT_STATUS(wanted, mbrt_call_set_threads(call, 1));
  EXPECT_STATUS(wanted, mbrt_call_set_timeout(call, 1));
  EXPECT_STATUS(wanted, mbrt_call_set_limits(call, 4, MBRT_OVERFLOW_ERROR, 0));
  EXPECT_STATUS(wanted, mbrt_call_set_embedding(call, nullptr));
  EXPECT_STATUS(wanted, mbrt_call_run(call));
  EXPECT_STATUS(wanted, mbrt_call_view(call, MBRT_LAST_HIDDEN_STATE, 0, 0, &view));
  EXPECT_STATUS(wanted, mbrt_call_copy(call, MBRT_LAST_HIDDEN_STATE, 0, 0, nullptr, 0, &count));
  EXPECT_STATUS(wanted, mbrt_call_tokens(call, 0, &tokens, &count));
  EXPECT_STATUS(wanted, mbrt_call_result_count(call, 0, &count));
  EXPECT_STATUS(wanted, mbrt_call_result(call, 0, 0, &result));
  EXPECT_STATUS(wanted, mbrt_call_cancel(call));
  EXPECT_STATUS(wanted, mbrt_call_clear(call));
  EXPECT_STATUS(wanted, mbrt_call_free(call));
  EXPECT(count == 0 && view.data == nullptr && tokens == nullptr && result.label == nullptr);
}

void test_handles(const char* folder) {
  expect_model_status(MBRT_ERROR_HANDLE, {0});
  expect_call_status(MBRT_ERROR_HANDLE, {0});
  const mbrt_model model = open_model(folder, "ids-fp32");
  const mbrt_call call = new_call(model);
  // A model handle as a call and the reverse.
  expect_model_status(MBRT_ERROR_HANDLE, {call.id});
  expect_call_status(MBRT_ERROR_HANDLE, {model.id});
  std::mt19937_64 random(11);
  for (int i = 0; i < 500; ++i) {
    const std::uint64_t near = call.id ^ (std::uint64_t{1} << random() % 64);
    expect_call_status(MBRT_ERROR_HANDLE, {i % 2 == 0 ? near : random()});
    expect_model_status(MBRT_ERROR_HANDLE, {i % 2 == 0 ? near : random()});
  }
  // Freed twice, also after the slot was reused.
  EXPECT_OK(mbrt_call_free(call));
  expect_call_status(MBRT_ERROR_HANDLE, call);
  const mbrt_call heir = new_call(model);
  expect_call_status(MBRT_ERROR_HANDLE, call);
  EXPECT_OK(mbrt_call_clear(heir));
  EXPECT_OK(mbrt_call_free(heir));
  EXPECT_OK(mbrt_model_close(model));
  expect_model_status(MBRT_ERROR_HANDLE, model);
}

// Also while the parent's thread pool is idle.
void test_fork(const char* folder) {
  const mbrt_model model = open_model(folder, "ids-fp32");
  const mbrt_call call = new_call(model);
  EXPECT_OK(mbrt_call_set_threads(call, 2));
  add_ids(call, some_ids(60));
  EXPECT_OK(mbrt_call_run(call));
  const std::vector<float> expected = copy_of(call, MBRT_LAST_HIDDEN_STATE, 0);
  EXPECT_OK(mbrt_call_set_threads(call, 1));  // the thread sanitizer allows one thread in a child
  auto in_child = [&] {
    return mbrt_call_run(call) == MBRT_OK &&
           same_bits(expected, copy_of(call, MBRT_LAST_HIDDEN_STATE, 0)) &&
           mbrt_call_free(call) == MBRT_OK && mbrt_model_close(model) == MBRT_OK;
  };
  EXPECT(holds_in_fork([](void* check) { return (*static_cast<decltype(in_child)*>(check))(); },
                       &in_child));
  EXPECT_OK(mbrt_call_free(call));
  EXPECT_OK(mbrt_model_close(model));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  test_handles(argv[1]);
  test_fork(argv[1]);
  return report("handles");
}
