// The running range that quantisers need, for rows that no kernel produced. Maxima and minima do
// not depend on their order, so plain code gives the bits that every kernel gives.
#ifndef MBRT_ENGINE_ROW_RANGE_H_
#define MBRT_ENGINE_ROW_RANGE_H_

#include <algorithm>
#include <cstddef>

#include "engine/rows.h"

namespace mbrt {

inline void find_range(const Rows& rows, std::size_t count, std::size_t width) {
  for (std::size_t row = 0; row < count; ++row) {
    const float* x = rows.x + row * rows.stride;
    float* high = rows.range + row * kRangeFloats;
    float* low = high + kLanes;
    std::fill_n(high, kRangeFloats, 0.0f);
    for (std::size_t i = 0; i < width; i += kLanes) {
      for (std::size_t j = 0; j < kLanes; ++j) {
        high[j] = x[i + j] > high[j] ? x[i + j] : high[j];
        low[j] = x[i + j] < low[j] ? x[i + j] : low[j];
      }
    }
  }
}

}  // namespace mbrt

#endif  // MBRT_ENGINE_ROW_RANGE_H_
