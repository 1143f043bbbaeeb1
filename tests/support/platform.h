// What native tests need of the platform; one source file for each.
#ifndef MBRT_TESTS_SUPPORT_PLATFORM_H_
#define MBRT_TESTS_SUPPORT_PLATFORM_H_

#include <cstddef>
#include <filesystem>

// Whether `check` is true in a forked child. True where there is no fork(); then says so.
bool holds_in_fork(bool (*check)(void* context), void* context);

// As std::aligned_alloc and std::free, for any size.
void* aligned_memory(std::size_t size, std::size_t alignment);
void free_memory(void* memory);

// An absolute path in the form that std::filesystem takes however long it is.
std::filesystem::path without_limit(const std::filesystem::path& path);

// Standard input and output without conversion of line ends.
void binary_streams();

#endif  // MBRT_TESTS_SUPPORT_PLATFORM_H_
