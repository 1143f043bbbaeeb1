#include <windows.h>

#include "base/error.h"
#include "base/path_kind.h"
#include "base/wide_windows.h"

namespace mbrt {

PathKind path_kind(const std::string& path) {
  std::wstring wide;
  try {
    wide = wide_path(path);
  } catch (const InputError&) {
    return PathKind::kNone;
  }
  const DWORD attributes = GetFileAttributesW(wide.c_str());
  if (attributes == INVALID_FILE_ATTRIBUTES) return PathKind::kNone;
  if ((attributes & FILE_ATTRIBUTE_DEVICE) != 0) return PathKind::kOther;
  return (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0 ? PathKind::kFolder : PathKind::kFile;
}

}  // namespace mbrt
