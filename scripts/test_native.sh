#!/usr/bin/env bash
# Builds and runs the native tests with the given CMake presets, warnings being errors; of release builds also checks
# that only what dispatch guards needs more than the oldest processor of the architecture. A preset whose tools this
# machine lacks is skipped loudly, unless MBRT_REQUIRE_ALL=1.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"

has_tools() {
  local tool
  [ "$1" = armhf-linux-gnu ] || return 0
  for tool in arm-linux-gnueabihf-g++ qemu-arm; do
    command -v $tool >/dev/null || { echo "*** $tool is not installed" >&2; return 1; }
  done
}

for preset in "$@"; do
  echo "== $preset"
  if ! has_tools "$preset"; then
    [ "${MBRT_REQUIRE_ALL:-0}" != 1 ] || exit 1
    echo "*** SKIPPED: native tests of $preset" >&2
    continue
  fi
  cmake --preset "$preset" >/dev/null
  cmake --build --preset "$preset"
  [ "$preset" != armhf-linux-gnu ] || export QEMU_CPU=cortex-a15
  ctest --preset "$preset" --parallel 2
  case "$preset $(uname -m)" in
    "release x86_64") python3 scripts/packages/baseline.py x86_64 build/release ;;
    armhf-linux-gnu*) python3 scripts/packages/baseline.py armhf build/armhf-linux-gnu ;;
  esac
done
