#include <io.h>
#include <windows.h>

#include <algorithm>
#include <system_error>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/streams.h"
#include "base/wide_windows.h"

namespace mbrt {

std::FILE* open_stream(const std::string& path, const char* mode) {
  return _wfopen(wide_path(path).c_str(), wide_path(mode).c_str());
}

bool is_terminal(std::FILE* stream) { return _isatty(_fileno(stream)) != 0; }

ByteReader::ByteReader()
    : name_("standard input"),
      handle_(reinterpret_cast<std::intptr_t>(GetStdHandle(STD_INPUT_HANDLE))),
      owned_(false) {}

ByteReader::ByteReader(const std::string& path)
    : name_(path),
      handle_(reinterpret_cast<std::intptr_t>(
          CreateFileW(wide_path(path).c_str(), GENERIC_READ,
                      FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                      OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr))),
      owned_(true) {
  if (reinterpret_cast<HANDLE>(handle_) == INVALID_HANDLE_VALUE) fail();
}

ByteReader::~ByteReader() {
  if (owned_) CloseHandle(reinterpret_cast<HANDLE>(handle_));
}

void ByteReader::fail() const {
  const auto error = static_cast<int>(GetLastError());
  throw InputError(name_ + ": " + std::system_category().message(error) + ".");
}

// Ctrl-C ends the wait for a console, not the wait for a pipe.
std::size_t ByteReader::read(char* data, std::size_t size) {
  constexpr std::size_t kMax = 1 << 20;
  throw_if_interrupted();
  DWORD count = 0;
  const bool ok = ReadFile(reinterpret_cast<HANDLE>(handle_), data,
                           static_cast<DWORD>(std::min(size, kMax)), &count, nullptr) != 0;
  const DWORD error = ok ? ERROR_SUCCESS : GetLastError();
  if (count == 0) throw_if_interrupted();
  if (ok || error == ERROR_BROKEN_PIPE || error == ERROR_HANDLE_EOF) return count;
  fail();
}

}  // namespace mbrt
