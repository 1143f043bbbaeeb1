#include <windows.h>

#include <system_error>

#include "base/error.h"
#include "base/mapped_file.h"
#include "base/wide_windows.h"

namespace mbrt {
namespace {

[[noreturn]] void fail(const char* what) {
  const auto error = static_cast<int>(GetLastError());
  throw InputError(std::string(what) + ": " + std::system_category().message(error) +
                   ".\nGive the path of a file that exists and that this user may read.");
}

struct Handle {
  HANDLE handle;
  ~Handle() {
    if (handle != INVALID_HANDLE_VALUE && handle != nullptr) CloseHandle(handle);
  }
};

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  if (path.find('\0') != std::string::npos) {
    throw InputError("the path has a zero byte.\nGive a path without one.");
  }
  const std::wstring wide = wide_path(path);
  const DWORD attributes = GetFileAttributesW(wide.c_str());
  if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0) {
    throw InputError("is a folder.\nGive the path of the model file in it.");
  }
  // Shared for deleting: the file can be deleted or renamed while it is mapped.
  const Handle file{CreateFileW(wide.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE,
                                nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr)};
  if (file.handle == INVALID_HANDLE_VALUE) fail("cannot be opened");
  if (GetFileType(file.handle) != FILE_TYPE_DISK) {
    throw InputError("is not a regular file.\nGive the path of one.");
  }
  LARGE_INTEGER size;
  if (GetFileSizeEx(file.handle, &size) == 0) fail("cannot be examined");
  if (size.QuadPart == 0) return;
  const Handle mapping{CreateFileMappingW(file.handle, nullptr, PAGE_READONLY, 0, 0, nullptr)};
  if (mapping.handle == nullptr) fail("cannot be mapped into memory");
  data_ = MapViewOfFile(mapping.handle, FILE_MAP_READ, 0, 0, 0);
  if (data_ == nullptr) fail("cannot be mapped into memory");
  size_ = static_cast<std::size_t>(size.QuadPart);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) UnmapViewOfFile(data_);
}

}  // namespace mbrt
