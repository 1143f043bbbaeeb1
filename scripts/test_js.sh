#!/usr/bin/env bash
# Builds the WebAssembly modules and the npm package of js/, and runs its tests in Node and Chromium. Exit code 69: a tool
# is missing (see step.sh). The python3 of the PATH makes the expected results.
set -euo pipefail
cd "$(dirname "$0")/.."

missing() {
  echo "*** NOT INSTALLED: $1" >&2
  exit 69
}
node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 16) ? 0 : 1)' ||
  missing "Node 20.16 or later"
for tool in npm chromium clang++-19 wasm-ld-19; do
  command -v $tool > /dev/null || missing $tool
done

cmake --preset wasm
cmake --build --preset wasm
npm --prefix js ci --ignore-scripts --no-audit --no-fund
npm --prefix js run build
python3 js/test/expected.py build/js
MBRT_CHROMIUM=$(command -v chromium) npm --prefix js test
