# 64-bit ARM Linux with Debian's cross compiler (g++-aarch64-linux-gnu); tests run under qemu-user.
#
#   cmake --preset aarch64-linux-gnu && cmake --build --preset aarch64-linux-gnu
#   QEMU_CPU=cortex-a53 ctest --preset aarch64-linux-gnu        also: neoverse-n1, max
#
# No -march: the baseline is armv8.0-a; kernel files that need more have their own flags.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)

# Where Debian has the target's libc; not a compiler --sysroot.
set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
# BOTH: pybind11 is installed in the build machine's Python.
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE BOTH)

# QEMU reads the processor from QEMU_CPU.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64 -L /usr/aarch64-linux-gnu)
