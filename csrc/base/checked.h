// Overflow-safe arithmetic on sizes from untrusted files: nullopt if the result does not fit.
#ifndef MBRT_BASE_CHECKED_H_
#define MBRT_BASE_CHECKED_H_

#include <cstdint>
#include <optional>

namespace mbrt {

inline std::optional<std::uint64_t> checked_add(std::uint64_t a, std::uint64_t b) {
  std::uint64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

inline std::optional<std::uint64_t> checked_mul(std::uint64_t a, std::uint64_t b) {
  std::uint64_t product;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

}  // namespace mbrt

#endif  // MBRT_BASE_CHECKED_H_
