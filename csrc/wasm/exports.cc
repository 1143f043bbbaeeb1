// The functions that JavaScript needs beside mobilebert_rt.h.
#include "base/aligned.h"
#include "mobilebert_rt.h"
#include "wasm/memory.h"

// JavaScript reads and writes the structs as arrays of 4-byte fields.
static_assert(sizeof(mbrt_model_options) == 4 * 2 && sizeof(mbrt_model_info) == 4 * 17 &&
              sizeof(mbrt_token) == 4 * 6 && sizeof(mbrt_plan) == 4 * 3 &&
              sizeof(mbrt_task_options) == 4 * 14 && sizeof(mbrt_embedding_options) == 4 * 5 &&
              sizeof(mbrt_view) == 4 * 5 && sizeof(mbrt_result) == 4 * 9);

extern "C" {

// `size` bytes aligned to 64, or 0 when there is no memory. End with release.
__attribute__((export_name("allocate"))) void* mbrt_wasm_allocate(std::size_t size) {
  return mbrt::wasm::allocate(size, mbrt::kAlignment);
}

__attribute__((export_name("release"))) void mbrt_wasm_release(void* memory) {
  mbrt::wasm::release(memory);
}

// mbrt_model_open_memory for bytes from allocate, which the model uses in place and releases, also when
// opening fails.
__attribute__((export_name("open_model"))) mbrt_status mbrt_wasm_open_model(
    void* data, std::size_t size, const mbrt_model_options* options, mbrt_model* model) {
  return mbrt_model_open_memory(data, size, &mbrt_wasm_release, data, options, model);
}

}  // extern "C"
