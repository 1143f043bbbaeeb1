#include <cpuid.h>

#include <cstdint>

#include "base/cpu_features.h"

namespace mbrt {
namespace {

constexpr bool bit(std::uint32_t word, int index) { return (word >> index & 1) != 0; }

// XCR0: the register files that the operating system saves. A CPU may have AVX-512 while the kernel
// does not save its registers.
std::uint32_t saved_state() {
  std::uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

}  // namespace

CpuFeatures detect_cpu_features() {
  CpuFeatures found;
  std::uint32_t a, b, c, d;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0) return found;
  const bool fma = bit(c, 12), osxsave = bit(c, 27), avx = bit(c, 28);
  if (!osxsave || !avx || !fma) return found;
  const std::uint32_t state = saved_state();
  constexpr std::uint32_t kYmm = 0x6, kZmm = 0xe6;
  if ((state & kYmm) != kYmm || __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return found;
  found.avx2_fma = bit(b, 5);
  const std::uint32_t subleaves = a, ecx = c;
  if ((state & kZmm) == kZmm) {
    found.avx512 = found.avx2_fma && bit(b, 16) && bit(b, 17) && bit(b, 30) && bit(b, 31);
    found.avx512_vnni = found.avx512 && bit(ecx, 11);
  }
  if (subleaves >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0) {
    found.avx_vnni = found.avx2_fma && bit(a, 4);
  }
  return found;
}

}  // namespace mbrt
