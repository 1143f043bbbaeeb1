#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "support/platform.h"

bool holds_in_fork(bool (*check)(void* context), void* context) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(check(context) ? 0 : 1);
  int status = -1;
  return ::waitpid(child, &status, 0) == child && status == 0;
}

void* aligned_memory(std::size_t size, std::size_t alignment) {
  if (alignment <= alignof(std::max_align_t)) return std::malloc(std::max<std::size_t>(size, 1));
  return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

void free_memory(void* memory) { std::free(memory); }

std::filesystem::path without_limit(const std::filesystem::path& path) { return path; }

void binary_streams() {}
