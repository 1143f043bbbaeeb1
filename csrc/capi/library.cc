// The functions of mobilebert_rt.h that need no model.
#include "base/cpu_count.h"
#include "capi/status.h"
#include "kernels/kernels.h"

using namespace mbrt::capi;

extern "C" {

uint32_t mbrt_abi_version(void) { return MBRT_ABI_VERSION; }

const char* mbrt_version(void) { return MBRT_VERSION; }

const char* mbrt_status_name(mbrt_status status) {
  static constexpr const char* kNames[] = {"MBRT_OK",
                                           "MBRT_ERROR_INPUT",
                                           "MBRT_ERROR_MODEL_FORMAT",
                                           "MBRT_ERROR_UNSUPPORTED_MODEL",
                                           "MBRT_ERROR_CANCELLED",
                                           "MBRT_ERROR_TIMEOUT",
                                           "MBRT_ERROR_HANDLE",
                                           "MBRT_ERROR_BUSY",
                                           "MBRT_ERROR_BUFFER",
                                           "MBRT_ERROR_MEMORY",
                                           "MBRT_ERROR_NO_RESULT",
                                           "MBRT_ERROR_INTERNAL"};
  const bool known = status >= MBRT_OK && status <= MBRT_ERROR_INTERNAL;
  return known ? kNames[status] : "unknown";
}

mbrt_status mbrt_available_isas(const char** names, size_t capacity, size_t* count) {
  return guarded([&] {
    require(count, "count");
    const auto& sets = mbrt::available_kernel_sets();
    if (capacity > 0) require(names, "names");
    *count = sets.size();
    require_capacity(sets.size(), capacity, "kernel sets");
    for (std::size_t i = 0; i < sets.size(); ++i) names[i] = sets[i]->isa;
  });
}

mbrt_status mbrt_default_isa(const char** isa) {
  return guarded([&] {
    require(isa, "isa");
    *isa = mbrt::default_kernel_set().isa;
  });
}

mbrt_status mbrt_default_threads(size_t* threads) {
  return guarded([&] {
    require(threads, "threads");
    *threads = mbrt::default_thread_count();
  });
}

}  // extern "C"
