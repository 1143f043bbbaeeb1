// Memory of the module.
#ifndef MBRT_WASM_MEMORY_H_
#define MBRT_WASM_MEMORY_H_

#include <cstddef>

namespace mbrt::wasm {

// alignment: a power of two. Null when there is no memory.
void* allocate(std::size_t size, std::size_t alignment) noexcept;
void release(void* memory) noexcept;

}  // namespace mbrt::wasm

#endif  // MBRT_WASM_MEMORY_H_
