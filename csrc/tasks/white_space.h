// White space as Python's str.isspace has it, in UTF-8.
#ifndef MBRT_TASKS_WHITE_SPACE_H_
#define MBRT_TASKS_WHITE_SPACE_H_

#include <cstddef>
#include <string_view>

namespace mbrt {

// The bytes of the white-space character that ends the text; 0: there is none.
std::size_t space_at_end(std::string_view text);

}  // namespace mbrt

#endif  // MBRT_TASKS_WHITE_SPACE_H_
