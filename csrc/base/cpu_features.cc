#include "base/cpu_features.h"

#include <cstddef>
#include <cstdint>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#elif defined(__linux__)
#include <sys/auxv.h>
#elif defined(__APPLE__)
#include <sys/sysctl.h>
#endif

namespace mbrt {
namespace {

#if defined(__x86_64__) || defined(__i386__)

constexpr bool bit(std::uint32_t word, int index) { return (word >> index & 1) != 0; }

// XCR0: the register files that the operating system saves. A CPU may have AVX-512 while the kernel
// does not save its registers.
std::uint32_t saved_state() {
  std::uint32_t low, high;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

CpuFeatures detect() {
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

#elif defined(__aarch64__) && defined(__linux__)

// Values of the Linux ABI; old headers lack the names.
constexpr unsigned long kHwcapAsimdDp = 1UL << 20;
constexpr unsigned long kHwcap2I8mm = 1UL << 13;

// Linux reports the capabilities that every core of a big.LITTLE system has.
CpuFeatures detect() {
  const bool dotprod = (getauxval(AT_HWCAP) & kHwcapAsimdDp) != 0;
  const bool i8mm = (getauxval(AT_HWCAP2) & kHwcap2I8mm) != 0;
  return {.neon = true, .dotprod = dotprod, .i8mm = dotprod && i8mm};
}

#elif defined(__aarch64__) && defined(__APPLE__)

bool has(const char* name) {
  int value = 0;
  std::size_t size = sizeof value;
  return sysctlbyname(name, &value, &size, nullptr, 0) == 0 && value != 0;
}

CpuFeatures detect() {
  const bool dotprod = has("hw.optional.arm.FEAT_DotProd");
  return {.neon = true, .dotprod = dotprod, .i8mm = dotprod && has("hw.optional.arm.FEAT_I8MM")};
}

#elif defined(__arm__) && defined(__linux__)

constexpr unsigned long kHwcapNeon = 1UL << 12;
constexpr unsigned long kHwcapVfpv4 = 1UL << 16;

CpuFeatures detect() {
  constexpr unsigned long kBoth = kHwcapNeon | kHwcapVfpv4;
  return {.neon = (getauxval(AT_HWCAP) & kBoth) == kBoth};
}

#else

CpuFeatures detect() { return {}; }

#endif

}  // namespace

const CpuFeatures& cpu_features() {
  static const CpuFeatures features = detect();
  return features;
}

}  // namespace mbrt
