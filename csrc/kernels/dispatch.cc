// Which kernels make up each kernel set, and which sets this CPU can run.
#include <cstdlib>
#include <string>

#include "base/cpu_features.h"
#include "base/error.h"
#include "kernels/kernels.h"

// What each target's object files define. kernels.inc names every GEMM; the row operations exist
// where lanes do.
#define MBRT_DECLARE_gemm_s8(target) \
  namespace mbrt::target {           \
  void gemm_s8(const GemmS8&);       \
  std::size_t peak_s8(std::size_t);  \
  }
#define MBRT_DECLARE_gemm_f32(target)        \
  namespace mbrt::target {                   \
  void gemm_f32(const GemmF32&);             \
  std::size_t peak_f32(std::size_t);         \
  void quantize(const Quantize&);            \
  void quantize_heads(const QuantizeHeads&); \
  void layer_norm(const LayerNorm&);         \
  void softmax(const Softmax&);              \
  void softmax_s8(const SoftmaxS8&);         \
  void context(const Context&);              \
  void activate_relu(const Activate&);       \
  void activate_gelu_erf(const Activate&);   \
  void activate_gelu_tanh(const Activate&);  \
  void activate_relu6(const Activate&);      \
  void activate_silu(const Activate&);       \
  void activate_tanh(const Activate&);       \
  }
#define MBRT_GEMM(operation, name, rows, columns, target, packing, offset) \
  MBRT_DECLARE_##operation(target)
#include "kernels/kernels.inc"
#undef MBRT_GEMM

namespace mbrt {
namespace {

// The name and offset of a target's GEMM, as kernels.inc has them.
struct Listed {
  const char* name;
  int offset;
};

constexpr bool equal(std::string_view a, std::string_view b) { return a == b; }

constexpr Listed listed(std::string_view wanted_operation, std::string_view wanted_target) {
#define MBRT_GEMM(operation, name, rows, columns, target, packing, offset)    \
  if (equal(wanted_operation, #operation) && equal(wanted_target, #target)) { \
    return {#operation "_" #name, offset};                                    \
  }
#include "kernels/kernels.inc"
#undef MBRT_GEMM
  return {"", 0};
}

struct Row {
  KernelSet set;
  bool (*runs_here)(const CpuFeatures&);
};

// One set: the int8 GEMM of target s8, everything in floats of target f32.
#define MBRT_SET(isa, s8, f32, condition)                                                       \
  Row {                                                                                         \
    {isa,                                                                                       \
     listed("gemm_s8", #s8).name,                                                               \
     listed("gemm_s8", #s8).offset,                                                             \
     s8::gemm_s8,                                                                               \
     listed("gemm_f32", #f32).name,                                                             \
     f32::gemm_f32,                                                                             \
     f32::quantize,                                                                             \
     f32::quantize_heads,                                                                       \
     f32::layer_norm,                                                                           \
     f32::softmax,                                                                              \
     f32::softmax_s8,                                                                           \
     f32::context,                                                                              \
     {f32::activate_relu, f32::activate_gelu_erf, f32::activate_gelu_tanh, f32::activate_relu6, \
      f32::activate_silu, f32::activate_tanh},                                                  \
     s8::peak_s8,                                                                               \
     f32::peak_f32},                                                                            \
        [](const CpuFeatures& cpu) { return static_cast<void>(cpu), condition; }                \
  }

// Slowest first.
const Row kSets[] = {
    //       isa           int8        float    needs
    MBRT_SET("scalar", scalar, scalar, true),
#ifdef MBRT_HAVE_avx2
    MBRT_SET("avx2", avx2, avx2, cpu.avx2_fma),
#ifdef MBRT_HAVE_avxvnni
    MBRT_SET("avxvnni", avxvnni, avx2, cpu.avx_vnni),
#endif
#ifdef MBRT_HAVE_avx512
    MBRT_SET("avx512", avx2, avx512, cpu.avx512),
#ifdef MBRT_HAVE_avx512vnni
    MBRT_SET("avx512vnni", avx512vnni, avx512, cpu.avx512_vnni),
#endif
#endif
#endif
#ifdef MBRT_HAVE_neon
    MBRT_SET("neon", neon, neon, cpu.neon),
#ifdef MBRT_HAVE_dotprod
    MBRT_SET("dotprod", dotprod, neon, cpu.dotprod),
#endif
#ifdef MBRT_HAVE_i8mm
    MBRT_SET("i8mm", i8mm, neon, cpu.i8mm),
#endif
#endif
};

std::vector<const KernelSet*> sets_where(bool only_runnable) {
  std::vector<const KernelSet*> sets;
  for (const Row& row : kSets) {
    if (!only_runnable || row.runs_here(cpu_features())) sets.push_back(&row.set);
  }
  return sets;
}

std::string names_of(const std::vector<const KernelSet*>& sets) {
  std::string names;
  for (const KernelSet* set : sets) names += (names.empty() ? "" : ", ") + std::string(set->isa);
  return names;
}

const KernelSet& find_set(std::string_view isa, const std::string& said_by) {
  for (const KernelSet* set : available_kernel_sets()) {
    if (isa == set->isa) return *set;
  }
  std::string reason = "is not known";
  for (const KernelSet* set : compiled_kernel_sets()) {
    if (isa == set->isa) reason = "cannot run on this CPU";
  }
  throw InputError(said_by + " asks for the instruction set \"" + std::string(isa) + "\", which " +
                   reason + "; use one of " + names_of(available_kernel_sets()) +
                   ", or leave it out for the fastest");
}

}  // namespace

const std::vector<const KernelSet*>& available_kernel_sets() {
  static const std::vector<const KernelSet*> sets = sets_where(true);
  return sets;
}

const std::vector<const KernelSet*>& compiled_kernel_sets() {
  static const std::vector<const KernelSet*> sets = sets_where(false);
  return sets;
}

const KernelSet& default_kernel_set() {
  const char* wanted = std::getenv("MBRT_ISA");
  if (wanted != nullptr && *wanted != '\0') return find_set(wanted, "the environment's MBRT_ISA");
  return *available_kernel_sets().back();
}

const KernelSet& kernel_set(std::string_view isa) { return find_set(isa, "isa"); }

}  // namespace mbrt
