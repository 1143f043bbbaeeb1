# 64-bit Windows with Debian's MinGW-w64 (g++-mingw-w64-x86-64-posix: std::thread needs its POSIX threads); tests run
# under wine.
#
#   cmake --preset x86_64-windows-mingw && cmake --build --preset x86_64-windows-mingw

set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)

set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-posix)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)

set(CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# GCC aligns the stack to 16 bytes on Windows, yet stores 32-byte and 64-byte vectors there with aligned moves.
set(CMAKE_CXX_FLAGS_INIT -Wa,-muse-unaligned-vector-move)

set(CMAKE_CROSSCOMPILING_EMULATOR ${CMAKE_CURRENT_LIST_DIR}/wine.sh)
