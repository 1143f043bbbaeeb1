#!/usr/bin/env bash
# Builds and runs the native tests of CMake presets: scripts/test_preset.sh PRESET...
set -euo pipefail
cd "$(dirname "$0")/.."

for preset in "$@"; do
  if [ "$preset" = armhf-linux-gnu ]; then
    for tool in arm-linux-gnueabihf-g++ qemu-arm; do
      command -v $tool >/dev/null || { echo "$tool is not installed" >&2; exit 69; }
    done
    export QEMU_CPU=cortex-a15
  fi
  echo "== $preset"
  cmake --preset "$preset" >/dev/null
  cmake --build --preset "$preset"
  ctest --preset "$preset" --parallel 2
done
