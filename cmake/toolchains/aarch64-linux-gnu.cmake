# 64-bit ARM Linux with Debian's cross compiler (g++-aarch64-linux-gnu); tests run under qemu-user.
#
#   cmake -S . -B build/aarch64/cmake --toolchain cmake/toolchains/aarch64-linux-gnu.cmake
#   QEMU_CPU=cortex-a53 ctest --test-dir build/aarch64/cmake        also: neoverse-n1, max
#
# No -march here: the baseline is armv8.0-a, and a kernel file that needs more says so itself.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)

# Debian keeps the target's libc here, beside the host's, so this is a place to search and not a compiler --sysroot.
set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
# BOTH: pybind11 is headers and CMake scripts, and is installed in the build machine's Python.
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE BOTH)

# The processor is the environment's QEMU_CPU, read by qemu itself.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)
