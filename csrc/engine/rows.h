// Rows of floats inside a panel, and their quantised form.
#ifndef MBRT_ENGINE_ROWS_H_
#define MBRT_ENGINE_ROWS_H_

#include <cstddef>
#include <cstdint>

#include "base/lanes.h"

namespace mbrt {

// [rows][stride] floats; columns from the real width to the next multiple of 16 hold 0.
struct Rows {
  float* x = nullptr;
  std::size_t stride = 0;
};

// The input of a linear layer: the rows, and for int8 layers their bytes; x is about
// q * scale + shift.
struct Operand {
  const float* x = nullptr;
  std::size_t x_stride = 0;
  const std::uint8_t* q = nullptr;
  std::size_t q_stride = 0;
  const float* scale = nullptr;
  const float* shift = nullptr;
};

// Memory for one quantised panel. Each operand is used before the next is made.
struct QuantisedRows {
  std::uint8_t* q = nullptr;
  float* scale = nullptr;
  float* shift = nullptr;
};

}  // namespace mbrt

#endif  // MBRT_ENGINE_ROWS_H_
