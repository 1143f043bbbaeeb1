#!/usr/bin/env bash
# Installs a wheel into a new environment and runs the Python tests that need no PyTorch with it, not with the source tree:
#
#   scripts/test_wheel.sh WHEEL PYTHON [NUMPY [PYTEST ARGUMENT ...]]
#
# PYTHON: the program. NUMPY: a requirement such as 'numpy==1.24.*' (default: numpy, the newest). The arguments replace the
# list of tests. The environment is build/wheel-test. Libraries that have no wheel for this Python are left out; tests that
# need them are skipped.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '/^#   scripts/s/^# *//p' "$0" >&2 && exit 2; }
wheel=$(realpath "$1") python=$(command -v "$2") numpy=${3:-numpy}
shift $(($# < 3 ? $# : 3))
cd "$(dirname "$0")/.."
[ $# -gt 0 ] || set -- tests/{engine,kernels,numerics,cli,conversion,model,tasks,text}

folder=build/wheel-test
rm -rf $folder
mkdir -p $folder/suite
cp -r tests docs scripts pyproject.toml $folder/suite
"$python" -m venv $folder/venv
venv=$PWD/$folder/venv/bin
"$venv/python" -m pip install --quiet --only-binary=:all: "$wheel" "$numpy" 'pytest>=8' 'hypothesis>=6.100' 'tqdm>=4.60'
for library in 'safetensors>=0.4' 'tokenizers>=0.20'; do
  "$venv/python" -m pip install --quiet --only-binary=:all: "$library" 2> $folder/pip.log || echo "without $library"
done
cd $folder/suite
"$venv/python" - << 'END'
import sys
import numpy
import mobilebert_rt
assert mobilebert_rt.__file__.startswith(sys.prefix), mobilebert_rt.__file__
gil = "with" if getattr(sys, "_is_gil_enabled", lambda: True)() else "without"
print(f"Python {sys.version.split()[0]} {gil} the GIL, numpy {numpy.__version__}, {mobilebert_rt.__file__}")
END
PATH=$venv:$PATH exec "$venv/python" -m pytest -q -p no:cacheprovider --unit "$@"
