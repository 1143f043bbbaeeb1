#!/usr/bin/env bash
# clang-tidy for every C++ source that this machine compiles.
set -euo pipefail
cd "$(dirname "$0")/.."

build=build/tidy
cmake -S . -B $build -G Ninja -DCMAKE_CXX_COMPILER=clang++-19 >/dev/null
python3 - $build <<'PYTHON' | xargs -P 2 -n 2 clang-tidy-19 -p $build --quiet --warnings-as-errors='*'
import json
import sys

entries = json.load(open(f"{sys.argv[1]}/compile_commands.json"))
print(*sorted({entry["file"] for entry in entries}), sep="\n")
PYTHON
