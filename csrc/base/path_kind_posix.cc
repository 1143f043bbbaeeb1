#include <sys/stat.h>

#include "base/path_kind.h"

namespace mbrt {

PathKind path_kind(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) != 0) return PathKind::kNone;
  if (S_ISREG(status.st_mode)) return PathKind::kFile;
  return S_ISDIR(status.st_mode) ? PathKind::kFolder : PathKind::kOther;
}

}  // namespace mbrt
