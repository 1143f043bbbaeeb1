#include "base/environment.h"

namespace mbrt {

const char* environment_variable(const char*) { return nullptr; }

}  // namespace mbrt
