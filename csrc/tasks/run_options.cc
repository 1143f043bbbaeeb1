#include "tasks/run_options.h"

#include "base/cpu_count.h"

namespace mbrt {

std::size_t RunOptions::thread_count() const {
  return threads == 0 ? default_thread_count() : threads;
}

}  // namespace mbrt
