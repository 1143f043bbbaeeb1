// What is at a path.
#ifndef MBRT_BASE_PATH_KIND_H_
#define MBRT_BASE_PATH_KIND_H_

#include <string>

namespace mbrt {

enum class PathKind { kNone, kFile, kFolder, kOther };

// Links are followed. kNone also when it cannot be examined.
PathKind path_kind(const std::string& path);

}  // namespace mbrt

#endif  // MBRT_BASE_PATH_KIND_H_
