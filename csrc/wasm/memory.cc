// operator new that throws: that of Debian's libc++abi for wasm32, built without exceptions, aborts.
#include "wasm/memory.h"

#include <cstdlib>
#include <limits>
#include <mutex>
#include <new>

#include "base/threads.h"

namespace mbrt::wasm {
namespace {

Mutex mutex;  // wasi-libc's malloc is for one thread

}  // namespace

void* allocate(std::size_t size, std::size_t alignment) noexcept {
  if (size > std::numeric_limits<std::size_t>::max() - alignment) return nullptr;
  if (size == 0) size = 1;
  std::lock_guard<Mutex> lock(mutex);
  if (alignment <= alignof(std::max_align_t)) return std::malloc(size);
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

void release(void* memory) noexcept {
  std::lock_guard<Mutex> lock(mutex);
  std::free(memory);
}

}  // namespace mbrt::wasm

namespace {

void* allocate_or_throw(std::size_t size, std::size_t alignment) {
  void* const memory = mbrt::wasm::allocate(size, alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t size) { return allocate_or_throw(size, 1); }
void* operator new[](std::size_t size) { return allocate_or_throw(size, 1); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new[](std::size_t size, std::align_val_t alignment) {
  return allocate_or_throw(size, static_cast<std::size_t>(alignment));
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return mbrt::wasm::allocate(size, 1);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return mbrt::wasm::allocate(size, 1);
}

void operator delete(void* memory) noexcept { mbrt::wasm::release(memory); }
void operator delete[](void* memory) noexcept { mbrt::wasm::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { mbrt::wasm::release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { mbrt::wasm::release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { mbrt::wasm::release(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { mbrt::wasm::release(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  mbrt::wasm::release(memory);
}
void operator delete[](void* memory, std::size_t, std::align_val_t) noexcept {
  mbrt::wasm::release(memory);
}
