// A kernel set: everything the engine calls on one instruction set, as one table of function
// pointers.
#ifndef MBRT_KERNELS_KERNELS_H_
#define MBRT_KERNELS_KERNELS_H_

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "kernels/activation/activation.h"
#include "kernels/gemm_f32/gemm_f32.h"
#include "kernels/gemm_s8/gemm_s8.h"
#include "kernels/norm/layer_norm.h"
#include "kernels/quantize/quantize.h"
#include "kernels/softmax/softmax.h"

namespace mbrt {

template <typename Arguments>
using Kernel = void (*)(const Arguments&);
using PeakFn = std::size_t (*)(std::size_t iterations);

struct KernelSet {
  const char* isa;  // "scalar", "avx2", ...: a value of MBRT_ISA and isa=

  const char* gemm_s8_name = nullptr;
  int gemm_s8_offset = 0;  // 0 or 128, see gemm_s8.h
  Kernel<GemmS8> gemm_s8 = nullptr;
  PeakFn peak_s8 = nullptr;  // the machine's peak with this set's own instructions, see peak.h

  const char* gemm_f32_name = nullptr;
  Kernel<GemmF32> gemm_f32 = nullptr;
  PeakFn peak_f32 = nullptr;

#define MBRT_FIELD(operation, Arguments) Kernel<Arguments> operation = nullptr;
  MBRT_ROW_OPERATIONS(MBRT_FIELD)
#undef MBRT_FIELD

  // By Activation. ReLU is an epilogue of the products; it is here for places that have no
  // product before them (a DistilBERT pooler, the MLM transform).
  Kernel<Activate> activate[kActivationCount] = {};
};

// The sets that this CPU and this operating system can run, slowest first; "scalar" is always
// there, except in WebAssembly.
const std::vector<const KernelSet*>& available_kernel_sets();

// Every set that was compiled in, whether this CPU can run it or not (for listings).
const std::vector<const KernelSet*>& compiled_kernel_sets();

// The fastest set of this CPU, or the one named by the environment variable MBRT_ISA. An
// unsupported name is an InputError that lists the supported ones.
const KernelSet& default_kernel_set();

// The set of that name, the default one without a name; InputError when it does not exist or this CPU
// cannot run it.
const KernelSet& kernel_set(std::optional<std::string_view> isa);

}  // namespace mbrt

#endif  // MBRT_KERNELS_KERNELS_H_
