#!/usr/bin/env bash
# The tests of 64-bit ARM: the cross-built wheel that `make wheels` makes, its baseline by disassembly, the Python suite
# on it under qemu-aarch64 as each processor, and a guard on the instructions that an inference takes (32-bit ARM:
# scripts/test_native.sh). Exit code 69 of a step means that this machine lacks a tool: then it is skipped loudly, unless
# MBRT_REQUIRE_ALL=1.
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

# Instructions of an inference, against those that the last change was measured at: deterministic, unlike times.
guard() {
  python -m benchmarks.arm --check
}

# What needs PyTorch stays on the host (tests/parity, accuracy, training); its results are the golden
# files. tests/speed means nothing here. One processor runs everything; the others what depends on the kernels that they
# choose; and where the first has chosen the same, the choice itself and the golden files.
choice=(tests/arm/test_emulated_processor.py tests/golden)
kernels=("${choice[@]}" tests/engine tests/kernels tests/numerics)
everything=("${kernels[@]}" tests/cli tests/conversion tests/model tests/text)

step python scripts/packages/wheels.py aarch64
step python scripts/packages/baseline.py aarch64 build/packages/wheel-aarch64
step python scripts/arm/run_suite.py --cpu neoverse-n1 "${everything[@]}"
step python scripts/arm/run_suite.py --cpu cortex-a53 --cpu max "${kernels[@]}"
step python scripts/arm/run_suite.py --cpu cortex-a72 "${choice[@]}"
step guard
