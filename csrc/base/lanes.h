// The number of virtual lanes of every float operation; all padding is a multiple of it.
#ifndef MBRT_BASE_LANES_H_
#define MBRT_BASE_LANES_H_

#include <cstddef>

namespace mbrt {

inline constexpr std::size_t kLanes = 16;
constexpr std::size_t pad16(std::size_t n) { return (n + kLanes - 1) / kLanes * kLanes; }

}  // namespace mbrt

#endif  // MBRT_BASE_LANES_H_
