# WebAssembly with Debian's clang-19, lld-19, libc++-19-dev-wasm32 and wasi-libc.
#
#   cmake --preset wasm && cmake --build --preset wasm
#
# SIMD of 128 bits and the features below are in every browser since 2021 (Safari: 2023) and in Node 16.

set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR wasm32)

set(CMAKE_CXX_COMPILER clang++-19)
set(CMAKE_CXX_COMPILER_TARGET wasm32-wasi)
set(CMAKE_AR llvm-ar-19)
set(CMAKE_RANLIB llvm-ranlib-19)
set(CMAKE_CXX_FLAGS_INIT
    "-fwasm-exceptions -msimd128 -mbulk-memory -mnontrapping-fptoint -msign-ext -mmutable-globals -matomics \
-mthread-model posix")
# Small, as a page waits for the module; kernels have flags of their own. Cached: CMake appends -O3 to an _INIT.
set(CMAKE_CXX_FLAGS_RELEASE "-Oz -DNDEBUG" CACHE STRING "")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
