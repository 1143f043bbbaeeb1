// Instruction sets that this CPU and operating system support.
#ifndef MBRT_BASE_CPU_FEATURES_H_
#define MBRT_BASE_CPU_FEATURES_H_

namespace mbrt {

// The extensions that kernel sets need; true only if the operating system also saves the registers.
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
  // WebAssembly
  bool relaxed_fma = false;  // relaxed_madd rounds once
};

// Detected once per process.
const CpuFeatures& cpu_features();

// Asks the processor; one source file per platform.
CpuFeatures detect_cpu_features();

}  // namespace mbrt

#endif  // MBRT_BASE_CPU_FEATURES_H_
