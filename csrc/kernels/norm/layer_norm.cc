// layer_norm: one source for every target; layer_norm.h has the formula.
//
// The order of a row's additions is part of the contract: one chain per lane, limited by the latency
// of an addition. Four rows at a time give four independent chains.
#include "kernels/norm/layer_norm.h"

#include "kernels/unroll.h"
#include "simd/simd.h"

namespace mbrt::MBRT_TARGET {
namespace {

alignas(64) constexpr float kOnes[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

struct Panel {
  explicit Panel(const LayerNorm& norm, std::size_t first_row)
      : a(norm),
        x(norm.x + first_row * norm.x_stride),
        whole(norm.n / 16 * 16),
        tail(norm.n - whole),
        real(load_partial(kOnes, tail)) {}

  float* at(std::size_t row, std::size_t column) const { return x + row * a.x_stride + column; }
  f32x16 only_real(f32x16 v) const { return select_gt(real, zero(), v, zero()); }

  const LayerNorm& a;
  float* x;
  std::size_t whole;  // columns in whole vectors
  std::size_t tail;   // columns in the last, partial one
  f32x16 real;        // 1 in the lanes of the partial vector that hold a column
};

template <int kRows>
MBRT_INLINE inline void find_means(const Panel& p, f32x16* mean) {
  f32x16 sum[kRows];
  unroll<kRows>([&](auto r) MBRT_INLINE { sum[r] = zero(); });
  for (std::size_t i = 0; i < p.whole; i += 16) {
    unroll<kRows>([&](auto r) MBRT_INLINE { sum[r] = add(sum[r], load(p.at(r, i))); });
  }
  unroll<kRows>([&](auto r) MBRT_INLINE {
    if (p.tail != 0) sum[r] = add(sum[r], load_partial(p.at(r, p.whole), p.tail));
    mean[r] = broadcast(reduce_add(sum[r]) / static_cast<float>(p.a.n));
  });
}

template <int kRows>
MBRT_INLINE inline void find_inverses(const Panel& p, const f32x16* mean, f32x16* inverse) {
  f32x16 sum[kRows];
  unroll<kRows>([&](auto r) MBRT_INLINE { sum[r] = zero(); });
  for (std::size_t i = 0; i < p.whole; i += 16) {
    unroll<kRows>([&](auto r) MBRT_INLINE {
      const f32x16 d = sub(load(p.at(r, i)), mean[r]);
      sum[r] = fma(d, d, sum[r]);
    });
  }
  unroll<kRows>([&](auto r) MBRT_INLINE {
    if (p.tail != 0) {
      const f32x16 d = p.only_real(sub(load_partial(p.at(r, p.whole), p.tail), mean[r]));
      sum[r] = fma(d, d, sum[r]);
    }
    const float variance = reduce_add(sum[r]) / static_cast<float>(p.a.n);
    inverse[r] = broadcast(1.0f / __builtin_sqrtf(variance + p.a.eps));
  });
}

// One row at a time is enough here: there are no sums.
inline void write_row(const Panel& p, std::size_t row, f32x16 mean, f32x16 inverse) {
  for (std::size_t i = 0; i < p.whole; i += 16) {
    const f32x16 d = sub(load(p.at(row, i)), mean);
    store(p.at(row, i), fma(mul(d, inverse), load(p.a.weight + i), load(p.a.bias + i)));
  }
  if (p.tail != 0) {
    const f32x16 d = sub(load_partial(p.at(row, p.whole), p.tail), mean);
    const f32x16 weight = load(p.a.weight + p.whole);
    const f32x16 bias = load(p.a.bias + p.whole);
    store(p.at(row, p.whole), p.only_real(fma(mul(d, inverse), weight, bias)));
  }
}

template <int kRows>
void norm_rows(const LayerNorm& a, std::size_t first_row) {
  const Panel panel(a, first_row);
  f32x16 mean[kRows];
  f32x16 inverse[kRows];
  find_means<kRows>(panel, mean);
  find_inverses<kRows>(panel, mean, inverse);
  for (std::size_t r = 0; r < kRows; ++r) write_row(panel, r, mean[r], inverse[r]);
}

}  // namespace

void layer_norm(const LayerNorm& a) {
  std::size_t row = 0;
  for (; row + 4 <= a.rows; row += 4) norm_rows<4>(a, row);
  for (; row < a.rows; ++row) norm_rows<1>(a, row);
}

}  // namespace mbrt::MBRT_TARGET
