// The running range of a row, which every kernel that writes rows leaves for their quantiser:
// [rows][32] floats, for each of the 16 lanes the largest value so far and 0, then for each the
// smallest and 0. Its order of visits does not matter.
#ifndef MBRT_KERNELS_RANGE_H_
#define MBRT_KERNELS_RANGE_H_

#include "base/lanes.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {

struct Range {
  f32x16 high = zero();
  f32x16 low = zero();
};

inline Range load_range(const float* p) { return {load(p), load(p + 16)}; }

inline void store_range(float* p, const Range& range) {
  store(p, range.high);
  store(p + 16, range.low);
}

// The new value is the first operand: a NaN leaves the range as it was.
inline void widen(Range& range, f32x16 y) {
  range.high = max(y, range.high);
  range.low = min(y, range.low);
}

}  // namespace mbrt::MBRT_TARGET

#endif  // MBRT_KERNELS_RANGE_H_
