// What this CPU and this operating system can run.
#ifndef MBRT_BASE_CPU_FEATURES_H_
#define MBRT_BASE_CPU_FEATURES_H_

namespace mbrt {

// Extensions that a kernel set needs. A bit is set only when the operating system saves the
// registers too.
struct CpuFeatures {
  // x86
  bool avx2_fma = false;
  bool avx_vnni = false;
  bool avx512 = false;  // F, BW, VL and DQ
  bool avx512_vnni = false;
  // ARM
  bool neon = false;  // with fused multiply-add: always on 64-bit ARM, VFPv4 on 32-bit ARM
  bool dotprod = false;
  bool i8mm = false;
};

// Read once; the answer does not change while a process lives.
const CpuFeatures& cpu_features();

}  // namespace mbrt

#endif  // MBRT_BASE_CPU_FEATURES_H_
