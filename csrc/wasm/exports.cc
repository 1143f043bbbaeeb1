// The functions that JavaScript needs beside mobilebert_rt.h.
#include <new>

#include "base/aligned.h"
#include "base/threads.h"
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

// For a Worker that is to run as a thread of the memory: see base/threads_wasm.h. 0 when there is no memory.
__attribute__((export_name("new_thread"))) mbrt::NewThread* mbrt_wasm_new_thread() {
  try {
    return mbrt::new_thread();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

__attribute__((export_name("run_thread"))) void mbrt_wasm_run_thread(mbrt::NewThread* thread) {
  mbrt::run_thread(thread);
}

__attribute__((export_name("let_thread_sleep"))) void mbrt_wasm_let_thread_sleep() {
  mbrt::let_thread_sleep();
}

__attribute__((export_name("report_thread_trap"))) void mbrt_wasm_report_thread_trap() {
  mbrt::report_thread_trap();
}

}  // extern "C"
