#include <signal.h>

#include <algorithm>

#include "base/program.h"

namespace mbrt {

std::vector<std::string> start_program(int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  return {argv + std::min(argc, 1), argv + argc};
}

}  // namespace mbrt
