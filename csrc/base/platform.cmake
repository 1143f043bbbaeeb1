# Which of csrc/base's files of each kind this platform uses: cpu_features_${MBRT_CPU}.cc and so on. threads.h chooses
# among headers, mobilebert_rt.h among export attributes; nothing else has an #if for a platform.

if(CMAKE_SYSTEM_PROCESSOR STREQUAL wasm32)
  set(MBRT_WASM ON)
  set(CMAKE_CXX_COMPILE_OPTIONS_PIC "")  # one module, linked at its final address
else()
  set(MBRT_WASM OFF)
endif()

if(MBRT_WASM)
  set(MBRT_CPU none)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  set(MBRT_CPU x86)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$" AND APPLE)
  set(MBRT_CPU arm64_apple)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$" AND WIN32)
  set(MBRT_CPU arm64_windows)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$" AND CMAKE_SYSTEM_NAME MATCHES "Linux|Android")
  set(MBRT_CPU arm64_linux)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^arm" AND CMAKE_SYSTEM_NAME MATCHES "Linux|Android")
  set(MBRT_CPU arm_linux)
else()
  set(MBRT_CPU none)
endif()

if(MBRT_WASM)
  set(MBRT_CORES none)
  set(MBRT_ENVIRONMENT none)
  set(MBRT_FILES none)
  set(MBRT_THREADS "")
else()
  find_package(Threads REQUIRED)
  set(MBRT_THREADS Threads::Threads)
  set(MBRT_ENVIRONMENT std)
  if(WIN32)
    set(MBRT_FILES windows)
    set(MBRT_CORES windows)
    add_compile_definitions(NOMINMAX WIN32_LEAN_AND_MEAN UNICODE _UNICODE _WIN32_WINNT=0x0A00 PSAPI_VERSION=2
                            __USE_MINGW_ANSI_STDIO=1)
    if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
      add_compile_options(-Wno-format -Wno-format-extra-args)  # it does not know %zu; other compilers check
    endif()
    # Programs need no library of the compiler, and find the DLL beside them.
    add_link_options(-static)
    set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
  elseif(APPLE)
    set(MBRT_FILES posix)
    set(MBRT_CORES apple)
  elseif(CMAKE_SYSTEM_NAME MATCHES "^(Linux|Android)$")
    set(MBRT_FILES posix)
    set(MBRT_CORES linux)
  else()
    message(FATAL_ERROR "CMAKE_SYSTEM_NAME is ${CMAKE_SYSTEM_NAME}; csrc/base has files for Linux, Android, macOS, Windows "
                        "and WebAssembly. Add this platform's files there and choose them in platform.cmake.")
  endif()
endif()

# Whether the shared library and its program have one C++ library. Windows and zig link it into each.
set(MBRT_SHARED_CXX ON)
if(WIN32 OR MBRT_ZIG)
  set(MBRT_SHARED_CXX OFF)
endif()
