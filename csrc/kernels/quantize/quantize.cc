// quantize, written once for every target; the formula is in quantize.h.
//
// Adding 1.5 * 2^23 inside the fma rounds x * r to the nearest integer, ties to even, and leaves it
// in the low byte: no conversion, no clamp. The zero point and the offset ride in the same
// constant.
#include "kernels/quantize/quantize.h"

#include "kernels/range.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {
namespace {

constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: here floats are the integers
constexpr float kSteps = 253.0f;
constexpr float kLowest = 127.0f;

}  // namespace

void quantize(const Quantize& a) {
  const std::size_t k = a.k;  // a copy: a store of bytes may alias a.k
  const float offset = static_cast<float>(a.offset);
  for (std::size_t row = 0; row < a.rows; ++row) {
    const float* x = a.x + row * a.x_stride;
    std::uint8_t* q = a.q + row * a.q_stride;
    const Range range = load_range(a.range + row * kRangeFloats);
    const float high = reduce_max(range.high);
    const float low = -reduce_max(neg(range.low));
    const float width = high - low;
    // Below 2^-96 the inverse may overflow; such a row is zero beside any bias.
    const bool tiny = width < 0x1p-96f;
    const float inverse = tiny ? 0.0f : kSteps / width;
    const float scale = tiny ? 0.0f : width / kSteps;
    const float zero_point = tiny ? 0.0f : __builtin_fmaf(-low, inverse, kRound) - kRound - kLowest;
    a.scale[row] = scale;
    a.shift[row] = -zero_point * scale;
    const f32x16 round = broadcast(kRound + offset + zero_point);
    for (std::size_t i = 0; i < k; i += 16) {
      store_low_bytes(q + i, bits(fma(load(x + i), broadcast(inverse), round)));
    }
  }
}

}  // namespace mbrt::MBRT_TARGET
