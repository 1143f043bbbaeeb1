#!/usr/bin/env bash
# Builds and runs the native tests with the given CMake presets, warnings being errors; of the release build also checks
# that only what dispatch guards needs more than the oldest x86-64 (the ARM builds: scripts/arm/test.sh).
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"

for preset in "$@"; do
  echo "== $preset"
  cmake --preset "$preset" >/dev/null
  cmake --build --preset "$preset"
  ctest --preset "$preset"
  if [ "$preset" = release ] && [ "$(uname -m)" = x86_64 ]; then
    python3 scripts/packages/baseline.py x86_64 build/release
  fi
done
