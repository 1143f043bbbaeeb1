# 32-bit ARM Linux, hard float, with Debian's cross compiler (g++-arm-linux-gnueabihf); tests run under qemu-user.
#
#   cmake -S . -B build/armhf --toolchain cmake/toolchains/armhf-linux-gnu.cmake
#   QEMU_CPU=cortex-a7 ctest --test-dir build/armhf                  also: cortex-a15, max
#
# Baseline armv7-a with NEON and VFPv4: every Cortex-A7, A15, A17 and any 64-bit core in 32-bit mode. VFPv4 is what
# adds the fused multiply-add that the float kernels are written with; Cortex-A8 and A9 have none and are not supported.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7-a)

set(CMAKE_C_COMPILER arm-linux-gnueabihf-gcc)
set(CMAKE_CXX_COMPILER arm-linux-gnueabihf-g++)

# -Wno-psabi: silences notes about an argument-passing change of GCC 7; all the code here is built by one compiler.
set(CMAKE_C_FLAGS_INIT "-march=armv7-a -mfpu=neon-vfpv4 -mfloat-abi=hard -Wno-psabi")
set(CMAKE_CXX_FLAGS_INIT "-march=armv7-a -mfpu=neon-vfpv4 -mfloat-abi=hard -Wno-psabi")

# Debian keeps the target's libc here, beside the host's, so this is a place to search and not a compiler --sysroot.
set(CMAKE_FIND_ROOT_PATH /usr/arm-linux-gnueabihf)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE BOTH)

# The processor is the environment's QEMU_CPU, read by qemu itself.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-arm -L /usr/arm-linux-gnueabihf)
