#include <fcntl.h>
#include <io.h>
#include <malloc.h>

#include <algorithm>
#include <cstdio>

#include "support/platform.h"

bool holds_in_fork(bool (*)(void* context), void*) {
  std::puts("skipped: the check in a forked child; Windows has no fork()");
  return true;
}

void* aligned_memory(std::size_t size, std::size_t alignment) {
  return _aligned_malloc(std::max<std::size_t>(size, 1),
                         std::max(alignment, alignof(std::max_align_t)));
}

void free_memory(void* memory) { _aligned_free(memory); }

std::filesystem::path without_limit(const std::filesystem::path& path) {
  return L"\\\\?\\" + std::filesystem::path(path).make_preferred().wstring();
}

void binary_streams() {
  for (const int descriptor : {0, 1}) _setmode(descriptor, _O_BINARY);
}
