// quantize: float rows to int8 rows, one scale and one zero point a row.
//
//   hi, lo = the fold of the row's range: the largest and the smallest of its values and 0
//   d      = hi - lo
//   d < 2^-96:  scale = 0, shift = 0, every q = 0
//   else        scale = d / 253,  r = 253 / d                    two IEEE divisions
//               z     = fma(-lo, r, 12582912) - 12582912 - 127   -lo * r to the nearest integer,
//                                                                less 127
//               t     = fma(x, r, 12582912 + z)
//               q     = the low byte of bits(t), signed          in [-128, 127], x in [lo, hi]
//               shift = -z * scale                               x is about q * scale + shift
//
// 0 is a multiple of the scale away from z, so a zero activation is exact. 253 steps, not 255: both
// roundings may go the same way, and the result must still be a byte. Stored bytes are q + offset,
// what the int8 kernel of the set expects.
//
// Rows are not symmetric about 0 (after ReLU they are one-sided, and in trained models a few
// channels hold most maxima): with one scale for both signs, sentence vectors of MiniLM differ
// twice as much from fp32 (docs/quantisation.md).
#ifndef MBRT_KERNELS_QUANTIZE_QUANTIZE_H_
#define MBRT_KERNELS_QUANTIZE_QUANTIZE_H_

#include <cstddef>
#include <cstdint>

namespace mbrt {

struct Quantize {
  std::size_t rows;
  std::size_t k;         // a multiple of 16; columns past the real ones hold 0
  const float* x;        // [rows][x_stride]
  std::size_t x_stride;  // floats
  const float* range;    // [rows][32], see kernels/range.h
  int offset;            // 0 or 128
  std::uint8_t* q;       // [rows][q_stride]
  std::size_t q_stride;  // bytes
  float* scale;          // [rows]
  float* shift;          // [rows]
};

using QuantizeFn = void (*)(const Quantize&);

}  // namespace mbrt

#endif  // MBRT_KERNELS_QUANTIZE_QUANTIZE_H_
