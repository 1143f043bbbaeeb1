#include "base/path_kind.h"

namespace mbrt {

PathKind path_kind(const std::string&) { return PathKind::kNone; }

}  // namespace mbrt
