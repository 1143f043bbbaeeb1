#!/usr/bin/env bash
# Builds bindings/swift/CMobileBertRT.xcframework: the static library and its header for macOS, iOS and iOS' simulator.
#
#   scripts/xcframework.sh [--test]     --test: also runs the tests of the Swift package on macOS
#
# Needs Xcode, CMake and Ninja. Exit code 69: there is no Xcode (see step.sh).
set -euo pipefail
cd "$(dirname "$0")/.."
for tool in xcodebuild lipo swift; do
  command -v $tool > /dev/null || { echo "*** NOT INSTALLED: $tool" >&2 && exit 69; }
done

# slice | CMake's system | SDK | processor | minimum version
table='
macos-arm64      | Darwin | macosx          | arm64  | 11.0
macos-x86_64     | Darwin | macosx          | x86_64 | 11.0
ios-arm64        | iOS    | iphoneos        | arm64  | 14.0
simulator-arm64  | iOS    | iphonesimulator | arm64  | 14.0
simulator-x86_64 | iOS    | iphonesimulator | x86_64 | 14.0
'
folder=build/xcframework
result=bindings/swift/CMobileBertRT.xcframework
while IFS='| ' read -r slice system sdk processor version; do
  [ -n "$slice" ] || continue
  cmake -G Ninja -S . -B "$folder/$slice" -DCMAKE_BUILD_TYPE=Release -DMBRT_TOOLS=OFF -DMBRT_INSTALL=OFF \
    -DCMAKE_SYSTEM_NAME="$system" -DCMAKE_SYSTEM_PROCESSOR="$processor" -DCMAKE_OSX_ARCHITECTURES="$processor" \
    -DCMAKE_OSX_SYSROOT="$sdk" -DCMAKE_OSX_DEPLOYMENT_TARGET="$version"
  cmake --build "$folder/$slice" --target mobilebert_rt_static
done <<< "$table"

library=csrc/capi/libmobilebert_rt.a
mkdir -p "$folder/headers" "$folder/macos" "$folder/simulator"
cp csrc/include/mobilebert_rt.h bindings/swift/Headers/module.modulemap "$folder/headers"
for system in macos simulator; do
  lipo -create "$folder/$system-arm64/$library" "$folder/$system-x86_64/$library" -output "$folder/$system/libmobilebert_rt.a"
done
rm -rf "$result"
xcodebuild -create-xcframework -output "$result" \
  -library "$folder/macos/libmobilebert_rt.a" -headers "$folder/headers" \
  -library "$folder/ios-arm64/$library" -headers "$folder/headers" \
  -library "$folder/simulator/libmobilebert_rt.a" -headers "$folder/headers"
[ "${1:-}" != --test ] || swift test --package-path bindings/swift
