// UTF-8, which this library uses everywhere, to the UTF-16 of Windows' functions and back.
#ifndef MBRT_BASE_WIDE_WINDOWS_H_
#define MBRT_BASE_WIDE_WINDOWS_H_

#include <string>

namespace mbrt {

// The path for Windows' functions, in the form without a length limit if it is long. InputError when it
// is not UTF-8.
std::wstring wide_path(const std::string& path);

std::string utf8_of(const std::wstring& text);

}  // namespace mbrt

#endif  // MBRT_BASE_WIDE_WINDOWS_H_
