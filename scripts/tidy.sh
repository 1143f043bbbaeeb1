#!/usr/bin/env bash
# clang-tidy over every C++ source that this machine's compiler reads; the ARM kernels have their own compiler's warnings.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"

build=build/tidy
cmake -S . -B $build -G Ninja -DCMAKE_CXX_COMPILER=clang++-19 >/dev/null
python - $build <<'PYTHON' | xargs -P 2 -n 2 clang-tidy-19 -p $build --quiet --warnings-as-errors='*'
import json
import sys

entries = json.load(open(f"{sys.argv[1]}/compile_commands.json"))
print(*sorted({entry["file"] for entry in entries}), sep="\n")
PYTHON
