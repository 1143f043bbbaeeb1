// Which kernels make up each kernel set, and which sets this CPU can run.
#include <string>

#include "base/cpu_features.h"
#include "base/environment.h"
#include "base/error.h"
#include "kernels/kernels.h"

// For each kernel of kernels.inc: the functions of its target's object files, and a function that
// enters them into a set. A target with a gemm_f32 has lanes, and with them the row operations.
#define MBRT_GEMM(operation, name, rows, columns, target, packing, offset) \
  MBRT_ENTER_##operation(target, #operation "_" #name, offset)

#define MBRT_ENTER_gemm_s8(target, name, offset) \
  namespace mbrt::target {                       \
  void gemm_s8(const GemmS8&);                   \
  std::size_t peak_s8(std::size_t);              \
  constexpr void enter_gemm_s8(KernelSet& set) { \
    set.gemm_s8_name = name;                     \
    set.gemm_s8_offset = offset;                 \
    set.gemm_s8 = gemm_s8;                       \
    set.peak_s8 = peak_s8;                       \
  }                                              \
  }
#define MBRT_ENTER_gemm_f32(target, name, offset) \
  namespace mbrt::target {                        \
  void gemm_f32(const GemmF32&);                  \
  std::size_t peak_f32(std::size_t);              \
  MBRT_ROW_OPERATIONS(MBRT_DECLARE)               \
  MBRT_ACTIVATIONS(MBRT_DECLARE_ACTIVATION)       \
  constexpr void enter_gemm_f32(KernelSet& set) { \
    set.gemm_f32_name = name;                     \
    set.gemm_f32 = gemm_f32;                      \
    set.peak_f32 = peak_f32;                      \
    MBRT_ROW_OPERATIONS(MBRT_ENTER)               \
    MBRT_ACTIVATIONS(MBRT_ENTER_ACTIVATION)       \
  }                                               \
  }
#define MBRT_DECLARE(operation, Arguments) void operation(const Arguments&);
#define MBRT_ENTER(operation, Arguments) set.operation = operation;
#define MBRT_DECLARE_ACTIVATION(enumerator, name) void activate_##name(const Activate&);
#define MBRT_ENTER_ACTIVATION(enumerator, name) \
  set.activate[static_cast<int>(Activation::enumerator)] = activate_##name;

#include "kernels/kernels.inc"

// gemm_s8/wasm_relaxed_dot.h
namespace mbrt::wasm_relaxed_sdot {
bool is_exact();
}
namespace mbrt::wasm_relaxed_udot {
bool is_exact();
}

namespace mbrt {
namespace {

struct Row {
  KernelSet set;
  bool (*runs_here)(const CpuFeatures&);
};

constexpr KernelSet make_set(const char* isa, void (*enter_gemm_s8)(KernelSet&),
                             void (*enter_gemm_f32)(KernelSet&)) {
  KernelSet set{.isa = isa};
  enter_gemm_s8(set);
  enter_gemm_f32(set);
  return set;
}

// One set: the int8 GEMM of target s8, everything in floats of target f32.
#define MBRT_SET(isa, s8, f32, condition)                                 \
  Row {                                                                   \
    make_set(isa, s8::enter_gemm_s8, f32::enter_gemm_f32),                \
        []([[maybe_unused]] const CpuFeatures& cpu) { return condition; } \
  }

// Slowest first. A set's name, the targets of its int8 product and of what it does in floats, and its needs.
constexpr Row kSets[] = {
#ifdef MBRT_HAVE_scalar
    MBRT_SET("scalar", scalar, scalar, true),
#endif
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
#ifdef MBRT_HAVE_wasm_simd128
    MBRT_SET("wasm_simd128", wasm_simd128, wasm_simd128, true),
#endif
#ifdef MBRT_HAVE_wasm_relaxed
    MBRT_SET("wasm_relaxed", wasm_relaxed, wasm_relaxed, cpu.relaxed_fma),
    MBRT_SET("wasm_relaxed_sdot", wasm_relaxed_sdot, wasm_relaxed,
             cpu.relaxed_fma&& wasm_relaxed_sdot::is_exact()),
    MBRT_SET("wasm_relaxed_udot", wasm_relaxed_udot, wasm_relaxed,
             cpu.relaxed_fma&& wasm_relaxed_udot::is_exact()),
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

// where: what the name came from, for the error.
const KernelSet& find_set(std::string_view isa, const std::string& where) {
  for (const KernelSet* set : available_kernel_sets()) {
    if (isa == set->isa) return *set;
  }
  std::string found = "unknown instruction set";
  for (const KernelSet* set : compiled_kernel_sets()) {
    if (isa == set->isa) found = "this CPU cannot run";
  }
  throw InputError(where + ": " + found + " \"" + std::string(isa) + "\"; expected one of " +
                   names_of(available_kernel_sets()) + ". Leave it out for the fastest.");
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
  const char* wanted = environment_variable("MBRT_ISA");
  if (wanted != nullptr && *wanted != '\0') return find_set(wanted, "MBRT_ISA");
  return *available_kernel_sets().back();
}

const KernelSet& kernel_set(std::optional<std::string_view> isa) {
  return isa ? find_set(*isa, "isa") : default_kernel_set();
}

}  // namespace mbrt
