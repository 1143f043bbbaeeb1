#!/usr/bin/env bash
# clang-format over every C++ source of the project.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v clang-format-19 >/dev/null; then
  echo "*** SKIPPED: clang-format-19 is not installed" >&2
  [ "${MBRT_REQUIRE_ALL:-0}" != 1 ]
  exit 0
fi
git ls-files '*.cc' '*.h' '*.hpp' '*.c' | xargs clang-format-19 --dry-run --Werror
