// quantize: float rows to int8 rows, one scale and one zero point per row.
//
//   hi, lo = max and min of the row's values and 0
//   d      = hi - lo
//   d < 2^-96:  scale = 0, shift = 0, every q = 0
//   else        scale = d / 253,  r = 253 / d                    two IEEE divisions
//               z     = fma(-lo, r, 12582912) - 12582912 - 127   -lo * r to the nearest integer,
//                                                                less 127
//               t     = fma(x, r, 12582912 + z)
//               q     = the low byte of bits(t), signed          in [-128, 127], x in [lo, hi]
//               shift = -z * scale                               x is about q * scale + shift
//
// A row with an infinity or a NaN gets an infinite or NaN scale or shift, and so do all its
// products. 0 is represented exactly. 253 steps, not 255: both roundings may go the same way, and
// the result must still fit in a byte. The stored bytes are q + offset, as the int8 kernel of the
// set expects.
//
// A separate pass over the rows, which are in cache, finds the range. Tried and dropped: finding it
// in the epilogue of the product before, which adds a load, a store and a fold for every row of
// every tile (7 % of a product of K = 128 on Zen 4; this pass costs 1 %).
//
// Asymmetric, because rows are not symmetric about 0 (after ReLU they are one-sided, and in trained
// models a few channels have most of the maxima): with one scale for both signs, sentence vectors
// of MiniLM differ twice as much from fp32 (docs/quantisation.md).
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
  int offset;            // 0 or 128
  std::uint8_t* q;       // [rows][q_stride]
  std::size_t q_stride;  // bytes
  float* scale;          // [rows]
  float* shift;          // [rows]

  // No value is negative, as after ReLU: lo is 0 and is not computed.
  bool non_negative = false;
};

// quantize_heads: the part of each float row that belongs to an attention head, to int8, symmetric,
// with one scale for each row and head. For queries, keys and values: their products then need no
// correction terms.
//
//   m = max |x| of the part
//   m < 2^-96:  scale = 0, every q = 0
//   else        scale = m / 127,  q = the low byte of bits(fma(x, 127 / m, 12582912)), signed
//
// Each part is padded to a multiple of 16 bytes that mean 0.
struct QuantizeHeads {
  std::size_t rows;
  std::size_t heads;
  std::size_t width;            // of a head
  const float* x;               // [rows][x_stride]; head h begins at column h * width
  std::size_t x_stride;         // floats
  int offset;                   // added to each byte: 0 or 128
  std::uint8_t* q;              // [rows][heads][width, padded]
  float* scale;                 // [rows][heads]
  std::int32_t* sum = nullptr;  // [rows][heads], the sums of q; may be null
};

}  // namespace mbrt

#endif  // MBRT_KERNELS_QUANTIZE_QUANTIZE_H_
