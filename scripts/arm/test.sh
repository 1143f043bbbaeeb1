#!/usr/bin/env bash
# The ARM tests: a cross-built wheel, and Python tests on it under qemu-aarch64 as three processors. Exit code 69 of a step
# means that this machine lacks a tool: then it is skipped loudly, unless MBRT_REQUIRE_ALL=1.
#
# More of the suite runs there too, but takes its time: scripts/arm/run_suite.py tests/kernels tests/engine tests/model
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PWD/.venv/bin:$PATH"
export MBRT_GOLDEN="${MBRT_GOLDEN:-$PWD/build/golden}"

step() {
  local status=0
  "$@" || status=$?
  if [ $status = 69 ] && [ "${MBRT_REQUIRE_ALL:-0}" != 1 ]; then
    echo "*** SKIPPED: $* (a tool is missing, see above)" >&2
    exit 0
  fi
  [ $status = 0 ] || exit $status
}

# What needs PyTorch stays on the host; its results are the golden files.
suite=(tests/arm/test_emulated_processor.py tests/numerics tests/golden)

step python scripts/arm/wheel.py
step python scripts/arm/run_suite.py "${suite[@]}"
