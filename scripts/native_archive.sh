#!/usr/bin/env bash
# Builds, tests and packs the library and mbrt for this system: dist/mobilebert_rt-VERSION-SYSTEM.tar.gz, for macOS and
# Windows. (`make dist` makes the Linux archives.)
#
#   scripts/native_archive.sh SYSTEM        for example macos-arm64 or windows-x86_64
set -euo pipefail
cd "$(dirname "$0")/.."
system=${1:?usage: scripts/native_archive.sh SYSTEM}

scripts/test_preset.sh release
program=$(find build/release -name mbrt -type f -o -name mbrt.exe | head -n 1)
scripts/board_report.sh --hash mobilebert_rt/default_model/model.int8.safetensors "$program"

name=mobilebert_rt-$(python3 -m scripts.version)-$system
rm -rf "build/archive/$name"
cmake --install build/release --prefix "build/archive/$name"
cp LICENSE docs/native.md "build/archive/$name"
mkdir -p dist
tar -C build/archive -czf "dist/$name.tar.gz" "$name"
echo "dist/$name.tar.gz"
