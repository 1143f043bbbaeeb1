// softmax and context, written once for every target; the formulas are in softmax.h.
//
// The first pass finds the maximum and leaves -inf where there is nothing to attend, padding
// columns too; the second then knows no mask and no tail, since exp(-inf - mx) is +0. A NaN score
// counts as masked: no maximum, and exp of it is +0. A row that holds +inf, or nothing but -inf and
// NaN, sums to 0, and its context is NaN.
#include "kernels/softmax/softmax.h"

#include <limits>

#include "kernels/math/exp.h"
#include "kernels/range.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {
namespace {

constexpr float kNothing = -std::numeric_limits<float>::infinity();

inline f32x16 attended(f32x16 s, const std::uint8_t* mask) {
  const f32x16 allowed = abs(to_f32(load_s8(reinterpret_cast<const std::int8_t*>(mask))));
  return select_gt(allowed, zero(), s, broadcast(kNothing));
}

// mask may be null. Returns the maximum of the row.
float mask_row(float* s, std::size_t keys, const std::uint8_t* mask) {
  const std::size_t whole = keys / 16 * 16;
  const std::size_t tail = keys - whole;
  f32x16 mx = broadcast(kNothing);
  if (mask == nullptr) {
    for (std::size_t i = 0; i < whole; i += 16) mx = max(load(s + i), mx);
  } else {
    for (std::size_t i = 0; i < whole; i += 16) {
      const f32x16 v = attended(load(s + i), mask + i);
      store(s + i, v);
      mx = max(v, mx);
    }
  }
  if (tail != 0) {
    std::uint8_t tail_mask[16] = {};
    for (std::size_t i = 0; i < tail; ++i) tail_mask[i] = mask == nullptr ? 1 : mask[whole + i];
    const f32x16 v = attended(load_partial(s + whole, tail), tail_mask);
    store(s + whole, v);
    mx = max(v, mx);
  }
  return reduce_max(mx);
}

}  // namespace

void softmax(const Softmax& a) {
  for (std::size_t row = 0; row < a.rows; ++row) {
    float* const s = a.s + row * a.s_stride;
    const std::uint8_t* mask = a.mask == nullptr ? nullptr : a.mask + row * a.mask_stride;
    const f32x16 mx = broadcast(mask_row(s, a.keys, mask));
    f32x16 sum = zero();
    for (std::size_t i = 0; i < a.keys; i += 16) {
      const f32x16 e = exp_nonpositive(sub(load(s + i), mx));
      store(s + i, e);
      sum = add(sum, e);
    }
    a.sum[row] = reduce_add(sum);
  }
}

void context(const Context& a) {
  const std::size_t whole = a.n / 16 * 16;
  const std::size_t tail = a.n - whole;
  for (std::size_t row = 0; row < a.rows; ++row) {
    const float* const x = a.x + row * a.x_stride;
    float* const y = a.y + row * a.y_stride;
    const f32x16 inverse = broadcast(1.0f / a.sum[row]);
    Range range = load_range(a.range + row * kRangeFloats);
    for (std::size_t i = 0; i < whole; i += 16) {
      const f32x16 v = mul(load(x + i), inverse);
      store(y + i, v);
      widen(range, v);
    }
    if (tail !=
        0) {  // lanes past n are +0 times the inverse: +0, or NaN, which the range leaves out
      const f32x16 v = mul(load_partial(x + whole, tail), inverse);
      store_partial(y + whole, tail, v);
      widen(range, v);
    }
    store_range(a.range + row * kRangeFloats, range);
  }
}

}  // namespace mbrt::MBRT_TARGET
