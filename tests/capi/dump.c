/* dump MODEL OUT: runs two sequences of token ids (the second with types and a mask with a hole) and
 * writes all outputs of the model as raw floats, by item and layer, to the file OUT.
 * tests/capi/test_installed.py has the same sequences. Uses only C11 and the installed files. */
#include <mobilebert_rt.h>
#include <stdio.h>
#include <stdlib.h>

enum { kFirst = 9, kSecond = 17 };

static void require(mbrt_status status) {
  if (status == MBRT_OK) return;
  fprintf(stderr, "%s: %s\n", mbrt_status_name(status), mbrt_last_error());
  exit(1);
}

static void add_items(mbrt_call call, size_t types) {
  int32_t ids[kSecond], second_types[kSecond];
  uint8_t mask[kSecond];
  for (int i = 0; i < kSecond; ++i) {
    ids[i] = (3 * i * i + i + 5) % 37;
    second_types[i] = i >= 8 && types > 1;
    mask[i] = i != 4;
  }
  require(mbrt_call_add_ids(call, ids, NULL, NULL, kFirst));
  require(mbrt_call_add_ids(call, ids, second_types, mask, kSecond));
}

static void write_matrix(mbrt_call call, uint32_t output, size_t layer, size_t item, FILE* out) {
  size_t needed = 0;
  if (mbrt_call_copy(call, output, layer, item, NULL, 0, &needed) != MBRT_ERROR_BUFFER) exit(1);
  float* const values = malloc(needed * sizeof *values);
  if (values == NULL) exit(1);
  require(mbrt_call_copy(call, output, layer, item, values, needed, NULL));
  if (fwrite(values, sizeof *values, needed, out) != needed) exit(1);
  free(values);
}

int main(int argc, char** argv) {
  if (argc != 3 || mbrt_abi_version() != MBRT_ABI_VERSION) return 2;
  mbrt_model model;
  mbrt_call call;
  mbrt_model_info info = {.struct_size = sizeof info};
  require(mbrt_model_open(argv[1], NULL, &model));
  require(mbrt_model_get_info(model, &info));
  require(mbrt_call_new(model, &call));
  require(mbrt_call_set_threads(call, 2));
  require(mbrt_call_set_outputs(call, info.outputs));
  add_items(call, info.type_vocab_size);
  require(mbrt_call_run(call));

  FILE* const out = fopen(argv[2], "wb");
  if (out == NULL) return 1;
  for (uint32_t output = 1; output <= MBRT_EMBEDDING; output *= 2) {
    const size_t layers = output == MBRT_HIDDEN_STATES ? info.num_layers + 1 : 1;
    if ((info.outputs & output) == 0) continue;
    for (size_t item = 0; item < 2; ++item) {
      for (size_t layer = 0; layer < layers; ++layer) write_matrix(call, output, layer, item, out);
    }
  }
  require(mbrt_call_free(call));
  require(mbrt_model_close(model));
  return fclose(out) == 0 ? 0 : 1;
}
