#!/usr/bin/env bash
# All that runs on emulated processors: 64-bit and 32-bit ARM, and AVX-512 where this processor has none, beside each
# other. Exit code 69 of the latter: a tool is missing, and the AVX-512 kernels are skipped, loudly.
set -euo pipefail
cd "$(dirname "$0")/.."

log=build/avx512.log
mkdir -p build
.venv/bin/python scripts/x86/run_suite.py >"$log" 2>&1 &
avx512=$!
trap 'kill "$avx512" 2>/dev/null || true' EXIT
scripts/arm/test.sh

status=0
wait "$avx512" || status=$?
if [ $status = 0 ]; then
  tail -n 1 "$log"
elif [ $status = 69 ]; then
  echo "*** SKIPPED: $(tail -n 1 "$log")" >&2
else
  tail -n 60 "$log"
  exit $status
fi
