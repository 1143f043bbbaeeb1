// Environment variables.
#ifndef MBRT_BASE_ENVIRONMENT_H_
#define MBRT_BASE_ENVIRONMENT_H_

namespace mbrt {

// Null when it is not set, and on platforms that have none.
const char* environment_variable(const char* name);

}  // namespace mbrt

#endif  // MBRT_BASE_ENVIRONMENT_H_
