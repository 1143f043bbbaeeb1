// What native tests need of the platform; one source file for each.
#ifndef MBRT_TESTS_SUPPORT_PLATFORM_H_
#define MBRT_TESTS_SUPPORT_PLATFORM_H_

#include <cstddef>

// Whether `check` is true in a forked child. True where there is no fork(); then says so.
bool holds_in_fork(bool (*check)(void* context), void* context);

// As std::aligned_alloc and std::free, for any size.
void* aligned_memory(std::size_t size, std::size_t alignment);
void free_memory(void* memory);

// Standard input and output without conversion of line ends.
void binary_streams();

#endif  // MBRT_TESTS_SUPPORT_PLATFORM_H_
