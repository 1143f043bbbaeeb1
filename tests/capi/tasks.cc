// tasks FOLDER: options and texts of tasks: hostile ones return a status.
#include <utility>

#include "support.h"

namespace {

// Options are checked when they are set, and their strings are copied.
void test_task_choices(const char* folder) {
  const mbrt_model nli = open_model(folder, "zero-shot-int8");
  const mbrt_call call = new_call(nli);
  mbrt_task_options options{};
  options.struct_size = sizeof options;
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_set_task(call, MBRT_TASK_ZERO_SHOT, nullptr));
  EXPECT(std::strstr(mbrt_last_error(), "candidate_labels: found none") != nullptr);
  options.num_candidate_labels = 2;
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_set_task(call, MBRT_TASK_ZERO_SHOT, &options));
  const char* labels[] = {"cats", nullptr};
  options.candidate_labels = labels;
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_set_task(call, MBRT_TASK_ZERO_SHOT, &options));
  char dogs[] = "dogs", text_template[] = "About {}.";
  labels[1] = dogs;
  options.hypothesis_template = "no place for it";
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_set_task(call, MBRT_TASK_ZERO_SHOT, &options));
  options.hypothesis_template = text_template;
  EXPECT_OK(mbrt_call_set_task(call, MBRT_TASK_ZERO_SHOT, &options));
  text_template[0] = dogs[0] = '{';
  EXPECT_OK(mbrt_call_add_text(call, "the cat", MBRT_NUL_TERMINATED));
  EXPECT_OK(mbrt_call_run(call));
  mbrt_result result{};
  result.struct_size = sizeof result;
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_OK(mbrt_call_result(call, 0, i, &result));
    EXPECT(std::strcmp(result.label, result.id == 0 ? "cats" : "dogs") == 0);
  }
  EXPECT_STATUS(MBRT_ERROR_UNSUPPORTED_MODEL, mbrt_call_set_task(call, MBRT_TASK_RANK, nullptr));
  EXPECT_OK(mbrt_call_run(call));  // still the task before
  EXPECT_OK(mbrt_call_free(call));
  EXPECT_OK(mbrt_model_close(nli));

  const mbrt_model fills = open_model(folder, "fill-int8");
  const mbrt_call filling = new_call(fills);
  const char* unknown = "no such token";
  options.targets = &unknown;
  options.num_targets = 1;
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_set_task(filling, MBRT_TASK_FILL, &options));
  EXPECT_OK(mbrt_call_free(filling));
  EXPECT_OK(mbrt_model_close(fills));
}

// For any bytes of a text, tasks succeed or return a status.
void test_texts(const char* folder) {
  const std::string hostile[] = {std::string("cat\0dog", 7),
                                 "\xff\xfe\xc0\xaf\xed\xa0\x80",
                                 "",
                                 std::string(100000, '\x80'),
                                 "\xf0\x9f",
                                 std::string(3000, '[')};
  const std::pair<const char*, mbrt_task> tasks[] = {
      {"classify-int8", MBRT_TASK_CLASSIFY},   {"tag-int8", MBRT_TASK_TAG},
      {"answer-int8", MBRT_TASK_ANSWER},       {"fill-int8", MBRT_TASK_FILL},
      {"zero-shot-int8", MBRT_TASK_ZERO_SHOT}, {"rank-int8", MBRT_TASK_RANK}};
  const char* const labels[] = {"\xff", ""};
  mbrt_task_options options{};
  options.struct_size = sizeof options;
  options.candidate_labels = labels;
  options.num_candidate_labels = 2;
  for (const auto& [name, task] : tasks) {
    const mbrt_model model = open_model(folder, name);
    const mbrt_call call = new_call(model);
    EXPECT_OK(mbrt_call_set_task(call, task, &options));
    for (const std::string& text : hostile) {
      EXPECT_OK(mbrt_call_clear(call));
      EXPECT_OK(task == MBRT_TASK_ANSWER || task == MBRT_TASK_RANK
                    ? mbrt_call_add_pair(call, "who?", 4, text.data(), text.size())
                    : mbrt_call_add_text(call, text.data(), text.size()));
      const mbrt_status status = mbrt_call_run(call);
      EXPECT(status == MBRT_OK || status == MBRT_ERROR_INPUT);
    }
    EXPECT_OK(mbrt_call_clear(call));
    add_ids(call, some_ids(3));
    EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_run(call));  // tasks read texts
    EXPECT_OK(mbrt_call_free(call));
    EXPECT_OK(mbrt_model_close(model));
  }
}

// The token types of a pair's second text exist only in models with types.
void test_pair_without_types(const char* folder) {
  const mbrt_model model = open_model(folder, "plain-int8");
  const mbrt_call call = new_call(model);
  EXPECT_OK(mbrt_call_add_pair(call, "who wrote", 9, "the notes", 9));
  EXPECT_OK(mbrt_call_run(call));
  const mbrt_token* tokens = nullptr;
  std::size_t count = 0;
  EXPECT_OK(mbrt_call_tokens(call, 0, &tokens, &count));
  EXPECT(count == 7 && tokens[5].type == 1 && tokens[5].part == 1 && tokens[5].begin == 4);
  EXPECT_OK(mbrt_call_free(call));
  EXPECT_OK(mbrt_model_close(model));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  test_task_choices(argv[1]);
  test_texts(argv[1]);
  test_pair_without_types(argv[1]);
  return report("tasks");
}
