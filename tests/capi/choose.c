/* choose TASK MODEL TEXT CHOICE...: prints the results of a task that chooses among what the caller gives,
 * a line each. TASK: zero-shot-single, zero-shot-multi, fill: "label<tab>id<tab>score". rank: the three best
 * of the choices for TEXT as query, "item<tab>place<tab>score". C11. */
#include <mobilebert_rt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void require(mbrt_status status) {
  if (status == MBRT_OK) return;
  fprintf(stderr, "%s: %s\n", mbrt_status_name(status), mbrt_last_error());
  exit(1);
}

static void print_results(mbrt_call call, size_t item, int is_rank) {
  size_t count = 0;
  require(mbrt_call_result_count(call, item, &count));
  for (size_t i = 0; i < count; ++i) {
    mbrt_result result = {.struct_size = sizeof result};
    require(mbrt_call_result(call, item, i, &result));
    if (is_rank) {
      printf("%zu", item);
    } else {
      printf("%s", result.label);
    }
    printf("\t%d\t%.9g\n", (int)result.id, (double)result.score);
  }
}

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  const char* const task = argv[1];
  const char* const* const choices = (const char* const*)argv + 4;
  const size_t count = (size_t)argc - 4;
  const int is_rank = strcmp(task, "rank") == 0, is_fill = strcmp(task, "fill") == 0;
  mbrt_model model;
  mbrt_call call;
  mbrt_task_options options = {.struct_size = sizeof options};
  require(mbrt_model_open(argv[2], NULL, &model));
  require(mbrt_call_new(model, &call));
  if (is_rank) {
    options.top_k = 3;
    require(mbrt_call_set_task(call, MBRT_TASK_RANK, &options));
  } else if (is_fill) {
    options.targets = choices;
    options.num_targets = count;
    require(mbrt_call_set_task(call, MBRT_TASK_FILL, &options));
  } else {
    options.candidate_labels = choices;
    options.num_candidate_labels = count;
    options.multi_label = strcmp(task, "zero-shot-multi") == 0;
    require(mbrt_call_set_task(call, MBRT_TASK_ZERO_SHOT, &options));
  }
  if (!is_rank) require(mbrt_call_add_text(call, argv[3], MBRT_NUL_TERMINATED));
  for (size_t i = 0; is_rank && i < count; ++i) {
    require(
        mbrt_call_add_pair(call, argv[3], MBRT_NUL_TERMINATED, choices[i], MBRT_NUL_TERMINATED));
  }
  require(mbrt_call_run(call));
  for (size_t i = 0; i < (is_rank ? count : 1); ++i) print_results(call, i, is_rank);
  require(mbrt_call_free(call));
  require(mbrt_model_close(model));
  return 0;
}
