/* classify MODEL TEXT: prints the labels of a text with their scores, or, with a model without labels, its
 * embedding. C11.
 *
 *   $ ./classify sst2.safetensors "a warm, funny film"
 *   positive	0.998
 *   negative	0.002
 */
#include <mobilebert_rt.h>
#include <stdio.h>

static int fail(mbrt_status status) {
  fprintf(stderr, "%s: %s\n", mbrt_status_name(status), mbrt_last_error());
  return 1;
}

static mbrt_status print_labels(mbrt_call call) {
  size_t count = 0;
  mbrt_status status = mbrt_call_result_count(call, 0, &count);
  for (size_t i = 0; status == MBRT_OK && i < count; ++i) {
    mbrt_result label = {.struct_size = sizeof label};
    status = mbrt_call_result(call, 0, i, &label);
    if (status == MBRT_OK) printf("%s\t%.9g\n", label.label, (double)label.score);
  }
  return status;
}

static mbrt_status print_embedding(mbrt_call call) {
  mbrt_view vector = {.struct_size = sizeof vector};
  const mbrt_status status = mbrt_call_view(call, MBRT_EMBEDDING, 0, 0, &vector);
  for (size_t i = 0; status == MBRT_OK && i < vector.columns; ++i) {
    printf("%.9g%c", (double)vector.data[i], i + 1 < vector.columns ? ' ' : '\n');
  }
  return status;
}

/* Runs one text. The first failure of any function is the result. */
static mbrt_status run(mbrt_model model, mbrt_call call, const char* text) {
  mbrt_model_info info = {.struct_size = sizeof info};
  mbrt_status status = mbrt_model_get_info(model, &info);
  if (status != MBRT_OK) return status;
  const int has_labels = info.head == MBRT_HEAD_SEQUENCE_CLASSIFICATION;
  status = has_labels ? mbrt_call_set_task(call, MBRT_TASK_CLASSIFY, NULL)
                      : mbrt_call_set_outputs(call, MBRT_EMBEDDING);
  if (status == MBRT_OK) status = mbrt_call_add_text(call, text, MBRT_NUL_TERMINATED);
  if (status == MBRT_OK) status = mbrt_call_run(call);
  if (status != MBRT_OK) return status;
  return has_labels ? print_labels(call) : print_embedding(call);
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: %s MODEL.safetensors TEXT\n", argv[0]);
    return 2;
  }
  mbrt_model model = {0};
  mbrt_call call = {0};
  mbrt_status status = mbrt_model_open(argv[1], NULL, &model);
  if (status == MBRT_OK) status = mbrt_call_new(model, &call);
  if (status == MBRT_OK) status = run(model, call, argv[2]);
  const int code = status == MBRT_OK ? 0 : fail(status);
  mbrt_call_free(call);
  mbrt_model_close(model);
  return code;
}
