# iOS 14 and later, by zig: the static library alone. zig has no headers for iOS; those of macOS stand in for them. A library
# for apps is built by scripts/xcframework.sh.
set(CMAKE_SYSTEM_NAME Darwin)
set(CMAKE_SYSTEM_PROCESSOR arm64)
set(zig_target aarch64-ios.14.0)
include(${CMAKE_CURRENT_LIST_DIR}/zig.cmake)
execute_process(COMMAND ${MBRT_ZIG_PROGRAM} env OUTPUT_VARIABLE zig_environment COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCH "lib_dir\"? *[=:] *\"([^\"]+)\"" _ "${zig_environment}")
set(CMAKE_CXX_FLAGS_INIT "-isystem ${CMAKE_MATCH_1}/libc/include/any-darwin-any")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
