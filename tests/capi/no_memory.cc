// no_memory FOLDER: when an allocation fails, each one in turn, functions return MBRT_ERROR_MEMORY, and
// existing models and calls remain usable.
#include <cstddef>
#include <new>

#include "support.h"
#include "support/platform.h"

namespace {

// Allocations before one fails; negative: none fails. Worker threads do not allocate.
long countdown = -1;

bool fails_now() {
  if (countdown < 0) return false;
  return countdown-- == 0;
}

void* allocate(std::size_t size, std::size_t alignment) {
  return fails_now() ? nullptr : aligned_memory(size, alignment);
}

void* allocate_or_throw(std::size_t size, std::size_t alignment) {
  void* const memory = allocate(size, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

// Makes the first allocation of work fail, then the second, until it succeeds. Returns how often it
// failed.
template <typename Work>
int starve(Work work) {
  for (int allowed = 0;; ++allowed) {
    countdown = allowed;
    const mbrt_status status = work();
    const bool failed = countdown < 0;
    countdown = -1;
    if (!failed) {
      EXPECT_OK(status);
      return allowed;
    }
    // The library may ignore the failure of an optional allocation.
    EXPECT(status == MBRT_ERROR_MEMORY || status == MBRT_OK);
    if (allowed > 100000) return -1;
  }
}

void test_model(const char* folder, const char* name, std::uint32_t outputs, mbrt_task task) {
  const std::string path = model_path(folder, name);
  mbrt_model model{};
  const int opening = starve([&] {
    if (model.id != 0) mbrt_model_close(model);
    model = {};
    return mbrt_model_open(path.c_str(), nullptr, &model);
  });
  EXPECT(opening > 10);
  mbrt_call call{};
  EXPECT(starve([&] {
           if (call.id != 0) mbrt_call_free(call);
           call = {};
           return mbrt_call_new(model, &call);
         }) > 0);
  EXPECT_OK(mbrt_call_set_threads(call, 2));
  const std::vector<std::int32_t> ids = some_ids(30);
  EXPECT(starve([&] {
           mbrt_call_clear(call);
           return task == MBRT_TASK_NONE ? mbrt_call_add_ids(call, ids.data(), nullptr, nullptr, 30)
                                         : mbrt_call_add_text(call, "who wrote the notes? [MASK]",
                                                              MBRT_NUL_TERMINATED);
         }) > 0);
  if (task != MBRT_TASK_NONE) {
    const char* const labels[] = {"a label that is too long to be kept without an allocation"};
    mbrt_task_options options{};
    options.struct_size = sizeof options;
    options.candidate_labels = labels;
    options.num_candidate_labels = 1;
    EXPECT(starve([&] { return mbrt_call_set_task(call, task, &options); }) >= 0);
  } else {
    EXPECT_OK(mbrt_call_set_outputs(call, outputs));
  }
  EXPECT(starve([&] {
           mbrt_model_trim(model, nullptr);
           return mbrt_call_run(call);
         }) > 3);
  EXPECT_OK(mbrt_call_free(call));
  EXPECT_OK(mbrt_model_close(model));
}

}  // namespace

// Not inlined: the compiler would warn about memory from new that is not freed by delete.
[[gnu::noinline]] void* operator new(std::size_t size) { return allocate_or_throw(size, 1); }
[[gnu::noinline]] void* operator new[](std::size_t size) { return allocate_or_throw(size, 1); }
[[gnu::noinline]] void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, 1);
}
[[gnu::noinline]] void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size, 1);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { free_memory(memory); }
[[gnu::noinline]] void operator delete[](void* memory) noexcept { free_memory(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { free_memory(memory); }
[[gnu::noinline]] void operator delete[](void* memory, std::size_t) noexcept {
  free_memory(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
  free_memory(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::align_val_t) noexcept {
  free_memory(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  free_memory(memory);
}
[[gnu::noinline]] void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  free_memory(memory);
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  test_model(argv[1], "ids-int8", MBRT_LAST_HIDDEN_STATE | MBRT_LOGITS | MBRT_EMBEDDING,
             MBRT_TASK_NONE);
  test_model(argv[1], "classify-fp32", 0, MBRT_TASK_CLASSIFY);
  test_model(argv[1], "tag-int8", 0, MBRT_TASK_TAG);
  test_model(argv[1], "fill-fp32", 0, MBRT_TASK_FILL);
  test_model(argv[1], "zero-shot-int8", 0, MBRT_TASK_ZERO_SHOT);
  return report("no_memory");
}
