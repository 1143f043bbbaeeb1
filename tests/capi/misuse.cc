// misuse FOLDER: wrong arguments of the C API, from one thread, return a status and change nothing. Also
// run with sanitizers.
#include <cmath>
#include <cstdlib>
#include <limits>

#include "support.h"
#include "support/platform.h"

namespace {

void test_null_pointers(const char* folder) {
  const mbrt_model model = open_model(folder, "classify-int8");
  const mbrt_call call = new_call(model);
  const std::size_t length = 3;
  const char* text = nullptr;
  std::size_t count = 0;
  mbrt_model opened{};
  const std::string path = model_path(folder, "ids-fp32");
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_model_open(nullptr, nullptr, &opened));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_model_open(path.c_str(), nullptr, nullptr));
  EXPECT_STATUS(MBRT_ERROR_INPUT,
                mbrt_model_open_memory(nullptr, 9, nullptr, nullptr, nullptr, &opened));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_available_isas(nullptr, 0, nullptr));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_available_isas(nullptr, 9, &count));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_default_isa(nullptr));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_default_threads(nullptr));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_model_get_info(model, nullptr));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_model_metadata(model, nullptr, &text, nullptr));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_model_metadata(model, "config", nullptr, nullptr));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_model_label(model, 0, nullptr));
  EXPECT_STATUS(MBRT_ERROR_INPUT,
                mbrt_model_tokenize(model, nullptr, 1, nullptr, 0, nullptr, 0, &count));
  EXPECT_STATUS(MBRT_ERROR_INPUT,
                mbrt_model_tokenize(model, "a", 1, nullptr, 0, nullptr, 5, &count));
  EXPECT_STATUS(MBRT_ERROR_INPUT,
                mbrt_model_tokenize(model, "a", 1, nullptr, 0, nullptr, 0, nullptr));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_model_piece(model, 3, nullptr, 8, nullptr));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_model_plan(model, &length, 1, 1, MBRT_POOLED, nullptr));
  mbrt_plan plan{};
  plan.struct_size = sizeof plan;
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_model_plan(model, nullptr, 1, 1, MBRT_POOLED, &plan));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_new(model, nullptr));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_add_ids(call, nullptr, nullptr, nullptr, 1));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_add_text(call, nullptr, MBRT_NUL_TERMINATED));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_add_pair(call, "a", 1, nullptr, 4));
  EXPECT_OK(mbrt_call_add_text(call, nullptr, 0));  // an empty text needs no pointer
  EXPECT_OK(mbrt_call_run(call));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_view(call, MBRT_LAST_HIDDEN_STATE, 0, 0, nullptr));
  EXPECT_STATUS(MBRT_ERROR_INPUT,
                mbrt_call_copy(call, MBRT_LAST_HIDDEN_STATE, 0, 0, nullptr, 99999, nullptr));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_tokens(call, 0, nullptr, &count));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_result_count(call, 0, nullptr));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_result(call, 0, 0, nullptr));
  EXPECT_OK(mbrt_call_free(call));
  EXPECT_OK(mbrt_model_close(model));
}

void test_struct_sizes(const char* folder) {
  const mbrt_model model = open_model(folder, "classify-fp32");
  const mbrt_call call = new_call(model);
  for (const std::size_t size : {std::size_t{0}, sizeof(mbrt_model_info) - 1, SIZE_MAX}) {
    mbrt_model_info info{};
    info.struct_size = size;
    EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_model_get_info(model, &info));
    EXPECT(info.hidden_size == 0);
  }
  // A caller built against a later release: unknown output fields are not written, and unknown option
  // fields must be 0.
  struct {
    mbrt_model_info info;
    std::uint64_t later;
  } longer{{}, 77};
  longer.info.struct_size = sizeof longer;
  EXPECT_OK(mbrt_model_get_info(model, &longer.info));
  EXPECT(longer.info.struct_size == sizeof longer && longer.info.num_labels == 3);
  EXPECT(longer.later == 77);
  struct {
    mbrt_task_options options;
    std::uint64_t later;
  } wish{{}, 1};
  wish.options.struct_size = sizeof wish;
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_set_task(call, MBRT_TASK_CLASSIFY, &wish.options));
  wish.later = 0;
  EXPECT_OK(mbrt_call_set_task(call, MBRT_TASK_CLASSIFY, &wish.options));
  EXPECT_OK(mbrt_call_free(call));
  EXPECT_OK(mbrt_model_close(model));
}

void test_settings(const char* folder) {
  const mbrt_model model = open_model(folder, "tag-fp32");
  const mbrt_call call = new_call(model);
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_set_outputs(call, 0));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_set_outputs(call, 1u << 31));
  EXPECT_STATUS(MBRT_ERROR_UNSUPPORTED_MODEL, mbrt_call_set_outputs(call, MBRT_POOLED));
  EXPECT_STATUS(MBRT_ERROR_UNSUPPORTED_MODEL, mbrt_call_set_outputs(call, MBRT_NEXT_SENTENCE));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_set_task(call, 99, nullptr));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_set_task(call, -1, nullptr));
  EXPECT_STATUS(MBRT_ERROR_UNSUPPORTED_MODEL, mbrt_call_set_task(call, MBRT_TASK_FILL, nullptr));
  mbrt_task_options options{};
  options.struct_size = sizeof options;
  options.aggregation = 17;
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_set_task(call, MBRT_TASK_TAG, &options));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_set_threads(call, 257));
  for (const double bad : {-1.0, std::nan(""), -std::numeric_limits<double>::infinity()}) {
    EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_set_timeout(call, bad));
  }
  EXPECT_OK(mbrt_call_set_timeout(call, std::numeric_limits<double>::max()));
  EXPECT_OK(mbrt_call_set_timeout(call, std::numeric_limits<double>::infinity()));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_set_limits(call, 41, MBRT_OVERFLOW_ERROR, 0));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_set_limits(call, 0, 4, 0));
  mbrt_embedding_options embedding{};
  embedding.struct_size = sizeof embedding;
  embedding.normalize = 3;
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_set_embedding(call, &embedding));
  embedding.normalize = MBRT_NORMALIZE_NO;
  EXPECT_OK(mbrt_call_set_embedding(call, &embedding));
  embedding.prompt_name = "passage";
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_set_embedding(call, &embedding));
  EXPECT(std::strstr(mbrt_last_error(), "prompt_name: found \"passage\"") != nullptr);
  EXPECT_OK(mbrt_call_set_embedding(call, nullptr));
  const std::size_t descending[] = {2, 1};
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_set_logit_tokens(call, 0, descending, 2));
  add_ids(call, some_ids(4));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_set_logit_tokens(call, 0, descending, 2));
  const std::size_t outside = 4;
  EXPECT_OK(mbrt_call_set_logit_tokens(call, 0, &outside, 1));
  EXPECT_OK(mbrt_call_set_outputs(call, MBRT_LOGITS));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_run(call));
  EXPECT_OK(mbrt_call_set_logit_tokens(call, 0, nullptr, 0));
  EXPECT_OK(mbrt_call_run(call));
  mbrt_view view{};
  view.struct_size = sizeof view;
  EXPECT_OK(mbrt_call_view(call, MBRT_LOGITS, 0, 0, &view));
  EXPECT(view.rows == 0 && view.data == nullptr && view.columns == 3);
  EXPECT_OK(mbrt_call_free(call));
  EXPECT_OK(mbrt_model_close(model));
  const mbrt_model_options unknown{sizeof unknown, "mmx"};
  mbrt_model opened{};
  const std::string path = model_path(folder, "ids-fp32");
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_model_open(path.c_str(), &unknown, &opened));
  EXPECT(opened.id == 0);
}

void test_items(const char* folder) {
  const mbrt_model model = open_model(folder, "ids-int8");
  const mbrt_call call = new_call(model);
  const std::vector<float> expected = hidden_of(model, some_ids(20));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_run(call));  // nothing to run
  const std::vector<std::int32_t> ids = some_ids(91);
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_add_ids(call, ids.data(), nullptr, nullptr, 0));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_add_ids(call, ids.data(), nullptr, nullptr, 91));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_add_ids(call, ids.data(), nullptr, nullptr, SIZE_MAX));
  EXPECT_STATUS(MBRT_ERROR_UNSUPPORTED_MODEL, mbrt_call_add_text(call, "a", 1));
  for (const std::int32_t bad : {-1, 37, INT32_MAX, INT32_MIN}) {
    add_ids(call, some_ids(20));
    add_ids(call, {1, bad});
    EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_run(call));
    EXPECT(std::strstr(mbrt_last_error(), "sequence 1") != nullptr);
    EXPECT_STATUS(MBRT_ERROR_NO_RESULT,
                  mbrt_call_copy(call, MBRT_LAST_HIDDEN_STATE, 0, 0, nullptr, 0, nullptr));
    EXPECT_OK(mbrt_call_clear(call));
  }
  const std::vector<std::int32_t> types(20, 2);
  const std::vector<std::uint8_t> hidden(20, 0);
  EXPECT_OK(mbrt_call_add_ids(call, ids.data(), types.data(), nullptr, 20));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_run(call));
  EXPECT_OK(mbrt_call_clear(call));
  EXPECT_OK(mbrt_call_add_ids(call, ids.data(), nullptr, hidden.data(), 20));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_run(call));
  EXPECT_OK(mbrt_call_clear(call));
  add_ids(call, some_ids(20));
  EXPECT_OK(mbrt_call_run(call));
  EXPECT(same_bits(expected, copy_of(call, MBRT_LAST_HIDDEN_STATE, 0)));
  EXPECT_OK(mbrt_call_free(call));
  EXPECT_OK(mbrt_model_close(model));
}

void test_results(const char* folder) {
  const mbrt_model model = open_model(folder, "ids-fp32");
  const mbrt_call call = new_call(model);
  std::size_t count = 0;
  mbrt_view view{};
  view.struct_size = sizeof view;
  add_ids(call, some_ids(5));
  add_ids(call, some_ids(7));
  EXPECT_STATUS(MBRT_ERROR_NO_RESULT, mbrt_call_view(call, MBRT_LAST_HIDDEN_STATE, 0, 0, &view));
  EXPECT_OK(mbrt_call_set_outputs(call, MBRT_HIDDEN_STATES | MBRT_LAST_HIDDEN_STATE));
  EXPECT_OK(mbrt_call_run(call));
  EXPECT_STATUS(MBRT_ERROR_NO_RESULT, mbrt_call_view(call, MBRT_POOLED, 0, 0, &view));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_view(call, MBRT_HIDDEN_STATES, 3, 0, &view));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_view(call, MBRT_LAST_HIDDEN_STATE, 1, 0, &view));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_view(call, MBRT_LAST_HIDDEN_STATE, 0, 2, &view));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_view(call, 3, 0, 0, &view));
  EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_call_view(call, 0, 0, 0, &view));
  EXPECT_STATUS(MBRT_ERROR_NO_RESULT, mbrt_call_result_count(call, 0, &count));
  const mbrt_token* tokens = nullptr;
  EXPECT_STATUS(MBRT_ERROR_NO_RESULT, mbrt_call_tokens(call, 0, &tokens, &count));
  EXPECT_OK(mbrt_call_view(call, MBRT_HIDDEN_STATES, 2, 1, &view));
  EXPECT(view.rows == 7 && view.columns == 24 && view.stride >= 24);
  // The last of the hidden states equals the last hidden state, and a copy has no gaps.
  const std::vector<float> copy = copy_of(call, MBRT_LAST_HIDDEN_STATE, 1);
  bool same = copy.size() == 7 * 24;
  for (std::size_t i = 0; same && i < copy.size(); ++i) {
    same = copy[i] == view.data[i / 24 * view.stride + i % 24];
  }
  EXPECT(same);
  // A buffer that is one float too small is not written.
  std::vector<float> small(copy.size() - 1, 5.0f);
  EXPECT_STATUS(MBRT_ERROR_BUFFER, mbrt_call_copy(call, MBRT_LAST_HIDDEN_STATE, 0, 1, small.data(),
                                                  small.size(), &count));
  EXPECT(count == copy.size() && small == std::vector<float>(copy.size() - 1, 5.0f));
  EXPECT_OK(mbrt_call_clear(call));
  EXPECT_STATUS(MBRT_ERROR_NO_RESULT, mbrt_call_view(call, MBRT_LAST_HIDDEN_STATE, 0, 0, &view));
  EXPECT_OK(mbrt_call_free(call));
  EXPECT_OK(mbrt_model_close(model));
}

std::vector<char> read_file(const std::string& path) {
  std::vector<char> bytes;
  std::FILE* file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return bytes;
  char block[4096];
  for (std::size_t n; (n = std::fread(block, 1, sizeof block, file)) > 0;) {
    bytes.insert(bytes.end(), block, block + n);
  }
  std::fclose(file);
  return bytes;
}

void count_release(void* context) { ++*static_cast<int*>(context); }

void test_memory(const char* folder) {
  const std::vector<char> file = read_file(model_path(folder, "ids-fp32"));
  const std::size_t capacity = (file.size() + 127) / 64 * 64;
  char* const aligned = static_cast<char*>(aligned_memory(capacity, 64));
  std::memcpy(aligned, file.data(), file.size());
  int released = 0;
  mbrt_model model{};
  // Released when opening fails: for every truncated length, and for another format.
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{7}, std::size_t{64}, file.size() - 64}) {
    const mbrt_status status =
        mbrt_model_open_memory(aligned, size, count_release, &released, nullptr, &model);
    EXPECT(status == MBRT_ERROR_MODEL_FORMAT && released == 1 && model.id == 0);
    released = 0;
  }
  EXPECT_STATUS(MBRT_ERROR_INPUT,
                mbrt_model_open_memory(nullptr, 1, count_release, &released, nullptr, &model));
  EXPECT(released == 1);
  // Aligned bytes are used in place until the model is closed and its last call freed.
  released = 0;
  EXPECT_OK(
      mbrt_model_open_memory(aligned, file.size(), count_release, &released, nullptr, &model));
  const std::vector<float> expected = hidden_of(model, some_ids(9));
  const mbrt_call call = new_call(model);
  add_ids(call, some_ids(9));
  EXPECT_OK(mbrt_model_close(model));
  EXPECT(released == 0);
  EXPECT_OK(mbrt_call_run(call));
  EXPECT(same_bits(expected, copy_of(call, MBRT_LAST_HIDDEN_STATE, 0)));
  EXPECT(released == 0);
  EXPECT_OK(mbrt_call_free(call));
  EXPECT(released == 1);
  // Bytes that are not aligned to 64 are copied and released at once.
  released = 0;
  std::memmove(aligned + 1, aligned, file.size());
  EXPECT_OK(
      mbrt_model_open_memory(aligned + 1, file.size(), count_release, &released, nullptr, &model));
  EXPECT(released == 1);
  free_memory(aligned);
  EXPECT(same_bits(expected, hidden_of(model, some_ids(9))));
  EXPECT_OK(mbrt_model_close(model));
}

void test_plan_and_trim(const char* folder) {
  for (const char* name : {"ids-fp32", "ids-int8"}) {
    const mbrt_model model = open_model(folder, name);
    mbrt_model_info info{};
    info.struct_size = sizeof info;
    const std::vector<std::size_t> lengths{90, 3, 41, 90, 90};
    for (std::size_t threads = 1; threads <= 3; ++threads) {
      mbrt_plan plan{};
      plan.struct_size = sizeof plan;
      EXPECT_OK(mbrt_model_plan(model, lengths.data(), lengths.size(), threads,
                                MBRT_LAST_HIDDEN_STATE, &plan));
      const mbrt_call call = new_call(model);
      EXPECT_OK(mbrt_call_set_threads(call, threads));
      for (const std::size_t length : lengths) add_ids(call, some_ids(length));
      EXPECT_OK(mbrt_model_trim(model, nullptr));
      EXPECT_OK(mbrt_call_run(call));
      EXPECT_OK(mbrt_model_get_info(model, &info));
      EXPECT(plan.workspace_bytes > 0 && info.workspace_bytes == plan.workspace_bytes);
      EXPECT(plan.output_bytes == (90 + 3 + 41 + 90 + 90) * 32 * sizeof(float));
      std::size_t freed = 0;
      EXPECT_OK(mbrt_model_trim(model, &freed));
      EXPECT(freed == plan.workspace_bytes);
      EXPECT_OK(mbrt_call_free(call));
    }
    mbrt_plan plan{};
    plan.struct_size = sizeof plan;
    for (const std::size_t bad : {std::size_t{0}, std::size_t{91}, SIZE_MAX}) {
      EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_model_plan(model, &bad, 1, 1, MBRT_POOLED, &plan));
    }
    EXPECT_STATUS(MBRT_ERROR_INPUT, mbrt_model_plan(model, nullptr, 0, 1, MBRT_POOLED, &plan));
    EXPECT_OK(mbrt_model_close(model));
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  EXPECT(mbrt_abi_version() == MBRT_ABI_VERSION);
  EXPECT(mbrt_last_error()[0] == '\0');
  test_null_pointers(argv[1]);
  test_struct_sizes(argv[1]);
  test_settings(argv[1]);
  test_items(argv[1]);
  test_results(argv[1]);
  test_memory(argv[1]);
  test_plan_and_trim(argv[1]);
  return report("misuse");
}
