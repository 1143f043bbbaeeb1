// quantize and quantize_heads: one source for every target; quantize.h has the formulas.
//
// Adding 1.5 * 2^23 inside the fma rounds x * r to the nearest integer, ties to even, in the low
// byte of the result: no conversion and no clamp. The zero point and the offset are added with the
// same constant.
#include "kernels/quantize/quantize.h"

#include "kernels/unroll.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {
namespace {

constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: floats of this size are integers
constexpr float kSteps = 253.0f;
constexpr float kMaxQ = 127.0f;
constexpr float kTiny = 0x1p-96f;  // below it the inverse of a range may overflow

// Calls visit(first column, columns) for each 16 of a width; the last may be fewer.
template <typename Visit>
inline void for_each_16(std::size_t width, Visit visit) {
  std::size_t i = 0;
  for (; i + 16 <= width; i += 16) visit(i, std::size_t{16});
  if (i < width) visit(i, width - i);
}

inline f32x16 load_up_to(const float* x, std::size_t n) {
  return n == 16 ? load(x) : load_partial(x, n);
}

// Number of rows that are quantised together, one row per lane: one division serves all of them.
// The rows must still be in L1 after their ranges have been computed.
inline std::size_t group_size(std::size_t k) { return k <= 256 ? 16 : 8; }

struct Steps {
  float inverse[16];
  float round[16];
};

float as_float(std::int32_t i) {
  float x;
  __builtin_memcpy(&x, &i, sizeof x);
  return x;
}

// The bits of floats, compared as signed integers, order positive floats correctly and above all
// negative ones; compared as unsigned integers, the most negative float is the largest. Integer
// maxima cost half of float maxima on Zen 4.
template <bool kNonNegative>
void find_range(const float* x, std::size_t k, float* high, float* low) {
  i32max max[2] = {broadcast_max_i32(0), broadcast_max_i32(0)};
  i32max min[2] = {max[0], max[0]};
  const auto widen = [&](std::size_t chain, std::size_t i) MBRT_INLINE {
    const i32x16 v = bits(load(x + i));
    max[chain] = max_signed(v, max[chain]);
    if constexpr (!kNonNegative) min[chain] = max_unsigned(v, min[chain]);
  };
  std::size_t i = 0;
  for (; i + 32 <= k; i += 32) {  // two chains hide the latency of a maximum, two cycles
    widen(0, i);
    widen(1, i + 16);
  }
  if (i < k) widen(0, i);
  *high = as_float(reduce_max_signed(max_signed(max[0], max[1])));
  if constexpr (kNonNegative) return;
  const std::int32_t lowest = reduce_max_unsigned(max_unsigned(min[0], min[1]));
  *low = as_float(lowest & lowest >> 31);  // 0 when the sign bit is not set
}

Steps find_steps(const Quantize& a, std::size_t first, std::size_t rows) {
  float high[16] = {}, low[16] = {};
  for (std::size_t r = 0; r < rows; ++r) {
    const float* x = a.x + (first + r) * a.x_stride;
    if (a.non_negative) {
      find_range<true>(x, a.k, high + r, low + r);
    } else {
      find_range<false>(x, a.k, high + r, low + r);
    }
  }
  const f32x16 lo = load(low);
  const f32x16 width = sub(load(high), lo);
  // A row with a range below kTiny counts as zero.
  const auto unless_tiny = [&](f32x16 v) { return select_gt(broadcast(kTiny), width, zero(), v); };
  const f32x16 inverse = unless_tiny(div(broadcast(kSteps), width));
  const f32x16 scale = unless_tiny(div(width, broadcast(kSteps)));
  const f32x16 rounded = sub(fma(neg(lo), inverse, broadcast(kRound)), broadcast(kRound));
  const f32x16 zero_point = unless_tiny(sub(rounded, broadcast(kMaxQ)));
  store_partial(a.scale + first, rows, scale);
  store_partial(a.shift + first, rows, mul(neg(zero_point), scale));
  Steps steps;
  store(steps.inverse, inverse);
  store(steps.round, add(broadcast(kRound + static_cast<float>(a.offset)), zero_point));
  return steps;
}

// The parts of rows, one for each head, row after row.
class Parts {
 public:
  explicit Parts(const QuantizeHeads& a)
      : next_(a.x), head_(0), heads_(a.heads), width_(a.width), stride_(a.x_stride) {}

  const float* next() {
    const float* const part = next_;
    next_ += width_;
    if (++head_ == heads_) {
      next_ += stride_ - heads_ * width_;
      head_ = 0;
    }
    return part;
  }

 private:
  const float* next_;
  std::size_t head_, heads_, width_, stride_;
};

// The bits of max |x|.
std::int32_t find_max(const float* x, std::size_t width) {
  i32max m = broadcast_max_i32(0);
  for_each_16(width, [&](std::size_t i, std::size_t n)
                         MBRT_INLINE { m = max_signed(bits(abs(load_up_to(x + i, n))), m); });
  return reduce_max_signed(m);
}

// q of a part; returns the sum of q if kSummed.
template <bool kSummed>
std::int32_t quantize_part(const float* x, std::size_t width, float inverse, float round,
                           std::uint8_t* q) {
  const f32x16 r = broadcast(inverse);
  const Addend to_integer = addend(round);
  f32x16 sum = zero();
  for_each_16(width, [&](std::size_t i, std::size_t n) MBRT_INLINE {
    const f32x16 v = load_up_to(x + i, n);
    // A sum needs the whole result also where x is not finite.
    const f32x16 t = kSummed ? fma(v, r, to_integer) : fma_to_integer(v, r, to_integer);
    store_low_bytes(q + i, bits(t));
    if constexpr (kSummed) sum = add(sum, sub(t, broadcast(round)));
  });
  return kSummed ? static_cast<std::int32_t>(reduce_add(sum)) : 0;
}

}  // namespace

void quantize(const Quantize& a) {
  const std::size_t k = a.k;  // a local copy: a store of bytes may alias a.k
  const std::size_t group = group_size(k);
  for (std::size_t first = 0; first < a.rows; first += group) {
    const std::size_t rows = a.rows - first < group ? a.rows - first : group;
    const Steps steps = find_steps(a, first, rows);
    for (std::size_t r = 0; r < rows; ++r) {
      const float* x = a.x + (first + r) * a.x_stride;
      std::uint8_t* q = a.q + (first + r) * a.q_stride;
      const f32x16 inverse = broadcast(steps.inverse[r]);
      const Addend round = addend(steps.round[r]);
      for (std::size_t i = 0; i < k; i += 16) {
        store_low_bytes(q + i, bits(fma_to_integer(load(x + i), inverse, round)));
      }
    }
  }
}

void quantize_heads(const QuantizeHeads& a) {
  const std::size_t width = a.width, total = a.rows * a.heads;
  const std::size_t padded = (width + 15) / 16 * 16;
  const float round = kRound + static_cast<float>(a.offset);
  Parts searched(a), quantised(a);
  for (std::size_t first = 0; first < total; first += 16) {
    const std::size_t parts = total - first < 16 ? total - first : 16;
    std::int32_t maxima[16] = {};
    float inverse[16];
    for (std::size_t p = 0; p < parts; ++p) maxima[p] = find_max(searched.next(), width);
    const f32x16 m = from_bits(load_i32(maxima));
    const f32x16 tiny = broadcast(kTiny);
    store(inverse, select_gt(tiny, m, zero(), div(broadcast(127.0f), m)));
    store_partial(a.scale + first, parts, select_gt(tiny, m, zero(), div(m, broadcast(127.0f))));
    std::uint8_t* q = a.q + first * padded;
    for (std::size_t p = 0; p < parts; ++p, q += padded) {
      if (a.sum == nullptr) {
        quantize_part<false>(quantised.next(), width, inverse[p], round, q);
      } else {
        a.sum[first + p] = quantize_part<true>(quantised.next(), width, inverse[p], round, q);
      }
    }
  }
}

}  // namespace mbrt::MBRT_TARGET
