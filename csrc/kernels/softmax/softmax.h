// softmax: rows of attention scores to unnormalised weights; normalisation comes after P.V.
//
// softmax, in place, for float values:
//   mx      = max over allowed keys of s
//   e       = exp(s - mx)           kernels/math/exp.h; results <= 2^-126 become +0
//   sum     = fold(sum of e)        16 virtual lanes, ascending, folded 16 -> 8 -> 4 -> 2 -> 1
//   inverse = 1 / sum
//
// softmax_s8, for int8 values that each have a scale v[key]:
//   e       = 2^((s - mx) * (s_scale[row] * log2 e)),  sum and inverse as above     kernels/math/exp2.h
//   top     = max over keys of e * v[key]
//   top < 2^-96:  p = 0, factor = 0
//   else          p = the low byte of bits(fma(e * v[key], 127 / top, 12582912))       0 .. 127
//                 factor = top / 127 * inverse
// The result is sum_key p * value * factor: the weights include the scales of the values, so that
// the precision of p matches the key's contribution. 127 steps and not 255, so that p is both a
// signed and an unsigned byte and every kernel can use it.
//
// Masked keys (mask[key] == 0), keys after a causal row's last one and columns keys .. keys_padded - 1
// become +0 and p = 0. The caller checks that every row has at least one allowed key.
#ifndef MBRT_KERNELS_SOFTMAX_SOFTMAX_H_
#define MBRT_KERNELS_SOFTMAX_SOFTMAX_H_

#include <cstddef>
#include <cstdint>

namespace mbrt {

struct Softmax {
  std::size_t rows;
  std::size_t keys;          // >= 1; keys rounded up to 16 columns are written
  std::size_t first_keys;    // > 0, causal: row r is allowed its first first_keys + r keys, and its
                             // other columns may hold any number; 0: every row is allowed all keys
  float* s;                  // [rows][s_stride]
  std::size_t s_stride;      // floats
  const std::uint8_t* mask;  // [rows][mask_stride], 0 = not allowed; null: every key is allowed
  std::size_t mask_stride;   // bytes; 0 repeats one row
  float* inverse;            // [rows]
};

struct SoftmaxS8 {
  Softmax scores;              // s becomes e
  const float* s_scale;        // [rows][s_scale_stride], >= 0
  std::size_t s_scale_stride;  // floats
  const float* value_scale;    // [keys, padded], >= 0; 0 past the last key
  std::uint8_t* p;             // [rows][p_stride], keys rounded up to 16 are written
  std::size_t p_stride;        // bytes
  float* factor;               // [rows]
};

// context: y[row][i] = x[row][i] * factor[row], i < n. Columns past n are neither read nor written.
struct Context {
  std::size_t rows;
  std::size_t n;
  const float* x;  // [rows][x_stride]
  std::size_t x_stride;
  const float* factor;  // [rows]
  float* y;             // [rows][y_stride]
  std::size_t y_stride;
};

}  // namespace mbrt

#endif  // MBRT_KERNELS_SOFTMAX_SOFTMAX_H_
