#!/bin/sh
# Runs the emulated 64-bit ARM Python, in the environment of scripts/arm/environment.py.
#
#   scripts/arm/python.sh [--cpu cortex-a53|neoverse-n1|max] ARGUMENTS...
#
# Without --cpu the processor is $QEMU_CPU, else cortex-a53. /proc/cpuinfo shows the processor of the host;
# getauxval(AT_HWCAP) is right.

set -eu
if [ "${1-}" = --cpu ]; then
    QEMU_CPU=$2
    export QEMU_CPU
    shift 2
fi
python=$(dirname "$0")/../../build/aarch64/venv/bin/python
if [ ! -x "$python" ]; then
    echo "no emulated environment: run python -m scripts.packages.release --working-tree, then python -m scripts.arm.environment" >&2
    exit 69
fi
# -P: the installed wheel is imported in the source tree too.
exec "$python" -P "$@"
