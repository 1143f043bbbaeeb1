# 32-bit ARM Linux, hard float, with Debian's cross compiler (g++-arm-linux-gnueabihf); tests run under qemu-user.
#
#   cmake --preset armhf-linux-gnu && cmake --build --preset armhf-linux-gnu
#   QEMU_CPU=cortex-a7 ctest --preset armhf-linux-gnu        also: cortex-a15, max
#
# Baseline armv7-a with NEON and VFPv4: Cortex-A7, A15, A17 and every 64-bit core in 32-bit mode. The float kernels use
# the fused multiply-add of VFPv4; Cortex-A8 and A9 lack it and are not supported.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR armv7-a)

set(CMAKE_C_COMPILER arm-linux-gnueabihf-gcc)
set(CMAKE_CXX_COMPILER arm-linux-gnueabihf-g++)

# -Wno-psabi: no notes about an ABI change of GCC 7; one compiler builds everything.
set(CMAKE_C_FLAGS_INIT "-march=armv7-a -mfpu=neon-vfpv4 -mfloat-abi=hard -Wno-psabi")
set(CMAKE_CXX_FLAGS_INIT "-march=armv7-a -mfpu=neon-vfpv4 -mfloat-abi=hard -Wno-psabi")

# Where Debian has the target's libc; not a compiler --sysroot.
set(CMAKE_FIND_ROOT_PATH /usr/arm-linux-gnueabihf)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE BOTH)

# QEMU reads the processor from QEMU_CPU.
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-arm -L /usr/arm-linux-gnueabihf)
