#!/usr/bin/env bash
# Builds the library, mbrt and the native tests for other C libraries and systems, and runs what this machine can run:
#
#   scripts/cross.sh [--quick] [PRESET ...]     default: all of the table below
#
# Runs: the native tests, and the default model, whose vectors must have the hash of scripts/board_report.sh. Others are
# built; macOS files are checked by scripts/packages/macho.py. A warning of a compiler or linker is an error. --quick:
# without the native tests. Exit code 69: a tool is missing (see step.sh); the other presets were built and run.
set -euo pipefail
cd "$(dirname "$0")/.."

# preset | what runs its programs; "-": nothing here | tools
table='
clang                | env                         | clang++-19
x86_64-linux-musl    | env                         | python-zig llvm-ar-19
aarch64-linux-musl   | qemu-aarch64                | python-zig llvm-ar-19 qemu-aarch64
x86_64-windows-mingw | cmake/toolchains/wine.sh    | x86_64-w64-mingw32-g++-posix wine
x86_64-windows-zig   | cmake/toolchains/wine.sh    | python-zig llvm-ar-19 wine
aarch64-windows-zig  | -                           | python-zig llvm-ar-19
aarch64-macos        | -                           | python-zig llvm-ar-19 llvm-objdump-19
x86_64-macos         | -                           | python-zig llvm-ar-19 llvm-objdump-19
aarch64-ios          | -                           | python-zig llvm-ar-19
'
model=mobilebert_rt/default_model/model.int8.safetensors

quiet() { # runs a command; its output only when it fails or warns
  local log=$1
  shift
  if ! "$@" > "$log" 2>&1 || grep -q 'warning:\|^CMake Warning' "$log"; then
    tail -n 60 "$log" >&2
    return 1
  fi
}

# Builds, tests and checks one preset, and prints its line.
cross() {
  local preset=$1 runner=$2 build=build/$1 hash=- tests="not run"
  mkdir -p "$build"
  quiet "$build/configure.log" cmake --preset "$preset" || return
  quiet "$build/build.log" cmake --build --preset "$preset" || return
  case $preset in
    *-macos) python3 -m scripts.packages.macho "$build" || return ;;
  esac
  if [ "$runner" != - ]; then
    local program=$build/csrc/tools/mbrt
    [ -f "$program" ] || program=$build/bin/mbrt.exe
    hash=$(scripts/board_report.sh --hash $model "$runner" "$program") || return
    if ! $only_hash; then
      ctest --preset "$preset" --parallel 2 > "$build/ctest.log" 2>&1 || { cat "$build/ctest.log" >&2 && return 1; }
      tests=$(sed -n 's/^\([0-9]*% tests passed.*\)/\1/p' "$build/ctest.log")
      tests+=$(sed -n '/did not run:/,$ s/^.*- \(.*\) (Skipped)/; skipped: \1/p' "$build/ctest.log" | tr -d '\n')
    fi
  fi
  printf '%-21s built; native tests: %s; vectors: %.12s\n' "$preset" "$tests" "$hash"
}

only_hash=false
if [ "${1:-}" = --quick ]; then only_hash=true && shift; fi
[ $# -gt 0 ] || set -- $(awk -F '|' 'NF { print $1 }' <<< "$table")
missing='' failed=''
for preset in "$@"; do
  IFS='|' read -r _ runner tools < <(grep "^$preset " <<< "$table") || {
    echo "cross.sh: unknown preset $preset; expected one of: $(awk -F '|' 'NF { printf $1 }' <<< "$table")" >&2
    exit 2
  }
  absent=$(for tool in $tools; do command -v "$tool" > /dev/null || echo "$tool"; done)
  if [ -n "$absent" ]; then
    echo "*** SKIPPED: $preset needs" $absent >&2
    missing+=" $preset"
  elif ! cross "$preset" $runner; then
    echo "*** FAILED: $preset; logs: build/$preset/*.log" >&2
    failed+=" $preset"
  fi
done
[ -z "$failed" ] || exit 1
[ -z "$missing" ] || exit 69
