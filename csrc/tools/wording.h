// Error messages in the words of the command line.
#ifndef MBRT_TOOLS_WORDING_H_
#define MBRT_TOOLS_WORDING_H_

#include <string>
#include <string_view>

namespace mbrt::tools {

// A message of the library, whose keywords become options: max_length as --max-length, and
// on_overflow "truncate" as --on-overflow truncate.
std::string on_command_line(std::string_view message);

}  // namespace mbrt::tools

#endif  // MBRT_TOOLS_WORDING_H_
