#!/usr/bin/env bash
# Runs a command. Exit code 69 means that this machine lacks a tool: the step is reported as skipped, and passes unless
# MBRT_REQUIRE_ALL=1.
set -uo pipefail
"$@"
status=$?
if [ $status = 69 ] && [ "${MBRT_REQUIRE_ALL:-0}" != 1 ]; then
  echo "*** SKIPPED: $* (a tool is missing, see above)" >&2
  exit 0
fi
exit $status
