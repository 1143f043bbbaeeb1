#!/bin/sh
# Runs the emulated 64-bit ARM Python, in the environment that scripts/arm/environment.py made.
#
#   scripts/arm/python.sh [--cpu cortex-a53|neoverse-n1|max] ARGUMENTS...
#
# Without --cpu the processor is $QEMU_CPU, else cortex-a53. Beware: /proc/cpuinfo still shows the host's
# processor; what a program learns from getauxval(AT_HWCAP) is right.

set -eu
if [ "${1-}" = --cpu ]; then
    QEMU_CPU=$2
    export QEMU_CPU
    shift 2
fi
python=$(dirname "$0")/../../build/aarch64/venv/bin/python
if [ ! -x "$python" ]; then
    echo "there is no emulated environment yet: run scripts/packages/wheels.py aarch64, then scripts/arm/environment.py" >&2
    exit 69
fi
# -P: started in the source tree, it still imports the installed wheel.
exec "$python" -P "$@"
