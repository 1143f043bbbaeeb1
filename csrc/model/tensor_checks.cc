#include "model/tensor_checks.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace mbrt {
namespace {

constexpr std::size_t kFloats = 16;  // floats of a 64-byte row
constexpr std::size_t kBytes = 64;   // its bytes
constexpr std::size_t kRows = 128;   // rows of a block, after which the result is tested

// A float is finite when its exponent bits are not all ones. Rows of 16.
bool rows_are_finite(const float* x, std::size_t rows) {
  std::uint32_t bad[kFloats] = {};
  for (; rows > 0; --rows, x += kFloats) {
    for (std::size_t i = 0; i < kFloats; ++i) {
      std::uint32_t bits;
      std::memcpy(&bits, x + i, sizeof bits);
      bad[i] |= (bits & 0x7F800000u) == 0x7F800000u ? 1u : 0u;
    }
  }
  return std::all_of(bad, bad + kFloats, [](std::uint32_t b) { return b == 0; });
}

bool rows_have_no_minus_128(const std::int8_t* x, std::size_t rows) {
  std::uint8_t bad[kBytes] = {};
  for (; rows > 0; --rows, x += kBytes) {
    for (std::size_t i = 0; i < kBytes; ++i) bad[i] |= x[i] == -128 ? 1 : 0;
  }
  return std::all_of(bad, bad + kBytes, [](std::uint8_t b) { return b == 0; });
}

// Adds up to 128 rows of 16 columns x 4 k. The sum of a pair of k has an absolute value of at most
// 256, so 16 bits hold the sum of 128 rows exactly, even if all values are -128.
bool add_rows(const std::int8_t* w, std::size_t rows, std::int32_t* sums) {
  std::int16_t pairs[kBytes / 2] = {};
  std::uint8_t bad[kBytes] = {};
  for (; rows > 0; --rows, w += kBytes) {
    for (std::size_t i = 0; i < kBytes / 2; ++i) {
      std::uint16_t two;  // the low byte is the first: the machine is little-endian
      std::memcpy(&two, w + 2 * i, sizeof two);
      const auto first = static_cast<std::int16_t>(static_cast<std::int16_t>(two << 8) >> 8);
      const auto second = static_cast<std::int16_t>(static_cast<std::int16_t>(two) >> 8);
      pairs[i] = static_cast<std::int16_t>(pairs[i] + first + second);
    }
    for (std::size_t i = 0; i < kBytes; ++i) bad[i] |= w[i] == -128 ? 1 : 0;
  }
  for (std::size_t n = 0; n < kBytes / 4; ++n) sums[n] += pairs[2 * n] + pairs[2 * n + 1];
  return std::all_of(bad, bad + kBytes, [](std::uint8_t b) { return b == 0; });
}

}  // namespace

std::size_t first_not_finite(const float* x, std::size_t n) {
  for (std::size_t begin = 0; begin < n; begin += kRows * kFloats) {
    const std::size_t end = std::min(n, begin + kRows * kFloats);
    if (rows_are_finite(x + begin, (end - begin) / kFloats)) continue;
    return static_cast<std::size_t>(
        std::find_if(x + begin, x + end, [](float v) { return !std::isfinite(v); }) - x);
  }
  return n;
}

std::size_t first_minus_128(const std::int8_t* x, std::size_t n) {
  for (std::size_t begin = 0; begin < n; begin += kRows * kBytes) {
    const std::size_t end = std::min(n, begin + kRows * kBytes);
    if (rows_have_no_minus_128(x + begin, (end - begin) / kBytes)) continue;
    return static_cast<std::size_t>(std::find(x + begin, x + end, std::int8_t{-128}) - x);
  }
  return n;
}

bool column_sums(const std::int8_t* w, std::size_t n, std::size_t k, std::int32_t* sums) {
  bool valid = true;
  std::fill(sums, sums + n, 0);
  for (std::size_t panel = 0; panel < n / 16; ++panel) {
    for (std::size_t row = 0; row < k / 4; row += kRows) {
      const std::size_t rows = std::min(kRows, k / 4 - row);
      valid &= add_rows(w, rows, sums + panel * 16);
      w += rows * kBytes;
    }
  }
  return valid;
}

}  // namespace mbrt
