#include "base/wide_windows.h"

#include <windows.h>

#include "base/error.h"

namespace mbrt {
namespace {

std::wstring absolute(const std::wstring& path) {
  const DWORD size = GetFullPathNameW(path.c_str(), 0, nullptr, nullptr);
  std::wstring full(size, L'\0');
  full.resize(GetFullPathNameW(path.c_str(), size, full.data(), nullptr));
  return full;
}

}  // namespace

std::wstring wide_path(const std::string& path) {
  if (path.empty()) return {};
  const int length = static_cast<int>(path.size());
  const int size =
      MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path.data(), length, nullptr, 0);
  if (size == 0) throw InputError("the path is not UTF-8.\nGive it as UTF-8.");
  std::wstring wide(static_cast<std::size_t>(size), L'\0');
  MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path.data(), length, wide.data(), size);
  constexpr std::size_t kLimit = 248;  // of the name of a folder; 260 for a file
  if (wide.starts_with(L"\\\\?\\")) return wide;
  const std::wstring full = absolute(wide);  // the limit holds for the whole of it
  if (full.size() < kLimit) return wide;
  if (full.starts_with(L"\\\\")) return L"\\\\?\\UNC" + full.substr(1);
  return L"\\\\?\\" + full;
}

std::string utf8_of(const std::wstring& text) {
  const int length = static_cast<int>(text.size());
  const int size =
      WideCharToMultiByte(CP_UTF8, 0, text.data(), length, nullptr, 0, nullptr, nullptr);
  std::string utf8(static_cast<std::size_t>(size), '\0');
  WideCharToMultiByte(CP_UTF8, 0, text.data(), length, utf8.data(), size, nullptr, nullptr);
  return utf8;
}

}  // namespace mbrt
