#include "base/cpu_count.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/environment.h"
#include "base/error.h"
#include "base/thread_pool.h"

namespace mbrt {

std::size_t default_thread_count() {
  const char* text = environment_variable("MBRT_NUM_THREADS");
  if (text == nullptr || *text == '\0') return std::min(usable_cores(), kMaxThreads);
  char* end = nullptr;
  const long value = std::strtol(text, &end, 10);
  if (*end != '\0' || value < 1 || value > static_cast<long>(kMaxThreads)) {
    throw InputError("MBRT_NUM_THREADS: \"" + std::string(text) +
                     "\"; expected an integer from 1 to 256. Fix or unset the variable.");
  }
  return static_cast<std::size_t>(value);
}

}  // namespace mbrt
