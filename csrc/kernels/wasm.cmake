# Two libraries of kernels, of which a module links one: a module that mentions an instruction of relaxed SIMD is invalid
# where there is none. mbrt_kernels has the plain sets; mbrt_kernels_relaxed has the dispatch of those and the relaxed ones.

# Without an fma instruction an fma is 150 instructions: the code is small where the time does not matter for MobileBERT.
mbrt_target(wasm_simd128     SOURCES gemm_s8/wasm_simd128.cc quantize/quantize.cc softmax/softmax.cc
                             SMALL gemm_f32/wasm_simd128.cc norm/layer_norm.cc activation/activation.cc)

add_library(mbrt_kernels_relaxed OBJECT
  dispatch.cc ../base/cpu_features.cc ../base/cpu_features_wasm_relaxed.cc ../base/environment_${MBRT_ENVIRONMENT}.cc)
target_include_directories(mbrt_kernels_relaxed PUBLIC ${CMAKE_CURRENT_SOURCE_DIR}/..)
target_compile_definitions(mbrt_kernels_relaxed PUBLIC MBRT_HAVE_wasm_simd128)
set_source_files_properties(../base/cpu_features_wasm_relaxed.cc PROPERTIES COMPILE_OPTIONS -mrelaxed-simd)

set(kernels mbrt_kernels_relaxed)
mbrt_target(wasm_relaxed     FLAGS -mrelaxed-simd
                             SOURCES gemm_s8/wasm_simd128.cc gemm_f32/wasm_simd128.cc ${row_operations})
set(dot_sets wasm_relaxed_sdot wasm_relaxed_udot)
foreach(set ${dot_sets})
  mbrt_target(${set} FLAGS -mrelaxed-simd SOURCES gemm_s8/${set}.cc)
endforeach()

foreach(set wasm_simd128 wasm_relaxed ${dot_sets})
  target_compile_options(mbrt_kernels_${set} PRIVATE $<$<CONFIG:Release>:-O2>)
endforeach()

# The object libraries of all sets.
set(MBRT_RELAXED_KERNELS
  mbrt_kernels_wasm_simd128 mbrt_kernels_wasm_simd128_small mbrt_kernels_wasm_relaxed mbrt_kernels_wasm_relaxed_sdot
  mbrt_kernels_wasm_relaxed_udot
  CACHE INTERNAL "")
