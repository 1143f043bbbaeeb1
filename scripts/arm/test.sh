#!/usr/bin/env bash
# The ARM tests: the cross-built wheel that `make wheels` makes, and the Python suite on it under qemu-aarch64 as each
# processor; then the native tests on 32-bit ARM, the baseline of both by disassembly, and a guard on the instructions
# that an inference takes. Exit code 69 of a step means that this machine lacks a tool: then it is skipped loudly,
# unless MBRT_REQUIRE_ALL=1.
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

# 32-bit ARM takes one core, and so does the last of the emulated processors: beside each other.
ARMHF_LOG="$PWD/build/armhf.log"
native_armhf() {
  local tool
  for tool in arm-linux-gnueabihf-g++ qemu-arm; do
    command -v $tool >/dev/null || { echo "*** $tool is not installed" >&2; return 69; }
  done
  QEMU_CPU=cortex-a15 scripts/test_native.sh armhf-linux-gnu
}

finish_armhf() {
  local status=0
  wait "$armhf" || status=$?
  cat "$ARMHF_LOG"
  return $status
}

# Instructions of an inference, against those that the last change was measured at: deterministic, unlike times.
guard() {
  python -m benchmarks.arm --check
}

# What needs PyTorch stays on the host (tests/parity, outliers, real_weights, training); its results are the golden
# files. tests/speed means nothing here.
suite=(tests/arm/test_emulated_processor.py)
for folder in cli conversion engine golden kernels model numerics text; do suite+=("tests/$folder"); done

step python scripts/packages/wheels.py aarch64
step python scripts/packages/baseline.py aarch64 build/packages/wheel-aarch64
native_armhf >"$ARMHF_LOG" 2>&1 &
armhf=$!
trap 'kill "$armhf" 2>/dev/null || true' EXIT
step python scripts/arm/run_suite.py "${suite[@]}"
# Nothing that is chosen at run time differs here from the first processor: the choice itself, and the golden files.
step python scripts/arm/run_suite.py --cpu cortex-a72 tests/arm/test_emulated_processor.py tests/golden
step finish_armhf
step python scripts/packages/baseline.py armhf build/armhf-linux-gnu
step guard
