// softmax, softmax_s8 and context: one source for every target; softmax.h has the formulas.
//
// The first pass finds the maximum and writes -inf for masked keys and padding columns. The second
// then needs no mask and no tail, since exp(-inf - mx) is +0. A NaN score counts as masked: the
// maximum ignores it, and its exp is +0. A row with +inf, or with only -inf and NaN, sums to 0, and
// its context is NaN. A causal row is one with fewer keys, and zeros after them.
#include "kernels/softmax/softmax.h"

#include <limits>

#include "kernels/math/exp.h"
#include "kernels/math/exp2.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {
namespace {

constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: floats of this size are integers
constexpr float kSteps = 127.0f;
constexpr float kLog2E = 0x1.715476p+0f;
constexpr float kTiny = 0x1p-96f;  // below it the inverse may overflow
constexpr float kMasked = -std::numeric_limits<float>::infinity();

inline f32x16 attended(f32x16 s, const std::uint8_t* mask) {
  const f32x16 allowed = abs(to_f32(load_s8(reinterpret_cast<const std::int8_t*>(mask))));
  return select_gt(allowed, zero(), s, broadcast(kMasked));
}

std::size_t keys_of(const Softmax& a, std::size_t row) {
  return a.first_keys == 0 ? a.keys : a.first_keys + row;
}

// Writes 0 to the columns after the last block of 16 that holds a key of the row.
template <typename T>
void clear_after(T* x, std::size_t keys, std::size_t all_keys) {
  const auto blocks = [](std::size_t n) { return (n + 15) / 16 * 16; };
  for (std::size_t i = blocks(keys); i < blocks(all_keys); ++i) x[i] = 0;
}

// Masks a row (mask may be null) and returns its maximum.
float mask_row(float* s, std::size_t keys, const std::uint8_t* mask) {
  const std::size_t whole = keys / 16 * 16;
  const std::size_t tail = keys - whole;
  f32max mx = broadcast_max(kMasked);
  if (mask == nullptr) {
    for (std::size_t i = 0; i < whole; i += 16) mx = max_number(load(s + i), mx);
  } else {
    for (std::size_t i = 0; i < whole; i += 16) {
      const f32x16 v = attended(load(s + i), mask + i);
      store(s + i, v);
      mx = max_number(v, mx);
    }
  }
  if (tail != 0) {
    std::uint8_t tail_mask[16] = {};
    for (std::size_t i = 0; i < tail; ++i) tail_mask[i] = mask == nullptr ? 1 : mask[whole + i];
    const f32x16 v = attended(load_partial(s + whole, tail), tail_mask);
    store(s + whole, v);
    mx = max_number(v, mx);
  }
  return reduce_max(mx);
}

// Up to 16 rows at a time, one pass after the other: rows do not wait for each other's sums, and one
// division serves all.
struct Group {
  std::size_t first, rows;
};

template <typename Visit>
inline void for_each_group(std::size_t rows, Visit visit) {
  for (std::size_t first = 0; first < rows; first += 16) {
    visit(Group{first, rows - first < 16 ? rows - first : 16});
  }
}

void find_maxima(const Softmax& a, const Group& group, float* maxima) {
  for (std::size_t r = 0; r < group.rows; ++r) {
    const std::size_t row = group.first + r;
    const std::uint8_t* mask = a.mask == nullptr ? nullptr : a.mask + row * a.mask_stride;
    maxima[r] = mask_row(a.s + row * a.s_stride, keys_of(a, row), mask);
  }
}

// Replaces the scores of a row by exp(s - maximum) and returns the sum. This and the next functions
// take pointers and sizes: members of a struct would be loaded again after every store.
float exponentials(float* s, std::size_t keys, float maximum) {
  const f32x16 mx = broadcast(maximum);
  f32x16 sum = zero();
  for (std::size_t i = 0; i < keys; i += 16) {
    const f32x16 e = exp_nonpositive(sub(load(s + i), mx));
    store(s + i, e);
    sum = add(sum, e);
  }
  return reduce_add(sum);
}

// The same for scores without their scale, with powers of two; *top is the largest e * v.
float scaled_exponentials(float* s, const float* v, std::size_t keys, float maximum, float s_scale,
                          float* top) {
  const f32x16 mx = broadcast(maximum);
  const f32x16 scale = broadcast(s_scale * kLog2E);
  f32x16 sum = zero();
  f32max max = broadcast_max(0.0f);
  for (std::size_t i = 0; i < keys; i += 16) {
    const f32x16 e = exp2_nonpositive(mul(sub(load(s + i), mx), scale));
    store(s + i, e);
    sum = add(sum, e);
    max = max_number(mul(e, load(v + i)), max);
  }
  *top = reduce_max(max);
  return reduce_add(sum);
}

// The bytes p of a row, from e.
void weights(const float* e, const float* v, std::size_t keys, float steps, std::uint8_t* p) {
  const f32x16 step = broadcast(steps);
  static constexpr Addend kToInteger = addend(kRound);
  for (std::size_t i = 0; i < keys; i += 16) {
    const f32x16 weight = mul(load(e + i), load(v + i));
    store_low_bytes(p + i, bits(fma_to_integer(weight, step, kToInteger)));
  }
}

}  // namespace

void softmax(const Softmax& a) {
  for_each_group(a.rows, [&](const Group& group) {
    float maxima[16], sums[16] = {};
    find_maxima(a, group, maxima);
    for (std::size_t r = 0; r < group.rows; ++r) {
      const std::size_t row = group.first + r;
      const std::size_t keys = keys_of(a, row);
      float* const s = a.s + row * a.s_stride;
      sums[r] = exponentials(s, keys, maxima[r]);
      clear_after(s, keys, a.keys);
    }
    store_partial(a.inverse + group.first, group.rows, div(broadcast(1.0f), load(sums)));
  });
}

void softmax_s8(const SoftmaxS8& a) {
  const Softmax& b = a.scores;
  for_each_group(b.rows, [&](const Group& group) {
    float maxima[16], sums[16] = {}, tops[16] = {}, steps[16];
    find_maxima(b, group, maxima);
    for (std::size_t r = 0; r < group.rows; ++r) {
      const std::size_t row = group.first + r;
      const std::size_t keys = keys_of(b, row);
      float* const s = b.s + row * b.s_stride;
      sums[r] = scaled_exponentials(s, a.value_scale, keys, maxima[r],
                                    a.s_scale[row * a.s_scale_stride], tops + r);
      clear_after(s, keys, b.keys);
    }
    const f32x16 top = load(tops);
    const f32x16 inverse = div(broadcast(1.0f), load(sums));
    const f32x16 factor = mul(div(top, broadcast(kSteps)), inverse);
    const f32x16 tiny = broadcast(kTiny);
    store(steps, select_gt(tiny, top, zero(), div(broadcast(kSteps), top)));
    store_partial(b.inverse + group.first, group.rows, inverse);
    store_partial(a.factor + group.first, group.rows, select_gt(tiny, top, zero(), factor));
    for (std::size_t r = 0; r < group.rows; ++r) {
      const std::size_t row = group.first + r;
      const std::size_t keys = keys_of(b, row);
      std::uint8_t* const p = a.p + row * a.p_stride;
      weights(b.s + row * b.s_stride, a.value_scale, keys, steps[r], p);
      clear_after(p, keys, b.keys);
    }
  });
}

void context(const Context& a) {
  const std::size_t whole = a.n / 16 * 16;
  const std::size_t tail = a.n - whole;
  for (std::size_t row = 0; row < a.rows; ++row) {
    const float* const x = a.x + row * a.x_stride;
    float* const y = a.y + row * a.y_stride;
    const f32x16 factor = broadcast(a.factor[row]);
    for (std::size_t i = 0; i < whole; i += 16) store(y + i, mul(load(x + i), factor));
    if (tail != 0) store_partial(y + whole, tail, mul(load_partial(x + whole, tail), factor));
  }
}

}  // namespace mbrt::MBRT_TARGET
