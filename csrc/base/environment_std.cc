#include <cstdlib>

#include "base/environment.h"

namespace mbrt {

const char* environment_variable(const char* name) { return std::getenv(name); }

}  // namespace mbrt
