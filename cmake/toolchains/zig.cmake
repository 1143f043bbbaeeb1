# Cross builds with zig's clang (`ziglang` on PyPI: scripts/requirements-cross.txt), which brings every C library.
# A toolchain file sets zig_target, CMAKE_SYSTEM_NAME and CMAKE_SYSTEM_PROCESSOR and includes this one. Archives are
# written by llvm-ar-19, and extension modules stripped by llvm-strip-19.

set(MBRT_ZIG ON)
find_program(MBRT_ZIG_PROGRAM NAMES python-zig zig REQUIRED NO_CMAKE_FIND_ROOT_PATH)
set(CMAKE_C_COMPILER ${MBRT_ZIG_PROGRAM} cc -target ${zig_target})
set(CMAKE_CXX_COMPILER ${MBRT_ZIG_PROGRAM} c++ -target ${zig_target})
find_program(CMAKE_AR NAMES llvm-ar-19 llvm-ar REQUIRED NO_CMAKE_FIND_ROOT_PATH)
find_program(CMAKE_RANLIB NAMES llvm-ranlib-19 llvm-ranlib REQUIRED NO_CMAKE_FIND_ROOT_PATH)
find_program(CMAKE_STRIP NAMES llvm-strip-19 llvm-strip REQUIRED NO_CMAKE_FIND_ROOT_PATH)

if(CMAKE_SYSTEM_NAME STREQUAL Darwin)  # without the debug information of zig's libraries, which names their folders
  set(CMAKE_EXE_LINKER_FLAGS_INIT -Wl,-S)
  set(CMAKE_SHARED_LINKER_FLAGS_INIT -Wl,-S)
endif()

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
