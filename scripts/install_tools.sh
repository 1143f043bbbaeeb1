#!/usr/bin/env bash
# Installs the compilers, emulators and linters that the tests use, where apt is usable; elsewhere says loudly what is
# missing and what will be skipped. With MBRT_REQUIRE_ALL=1 a missing tool is an error.
set -euo pipefail

declare -A provider=(
  [aarch64-linux-gnu-g++]=g++-aarch64-linux-gnu
  [aarch64-linux-gnu-gcc]=gcc-aarch64-linux-gnu
  [arm-linux-gnueabihf-g++]=g++-arm-linux-gnueabihf
  [qemu-aarch64]=qemu-user
  [qemu-arm]=qemu-user
  [clang-format-19]=clang-format-19
  [clang-tidy-19]=clang-tidy-19
  [clang++-19]=clang-19
  [llvm-mca-19]=llvm-19
  [llvm-objdump-19]=llvm-19
  [pkg-config]=pkg-config
  [g++]=g++
)

missing() {
  local tool
  for tool in "${!provider[@]}"; do
    command -v "$tool" >/dev/null || echo "$tool"
  done
}

tools=$(missing)
[ -n "$tools" ] || exit 0

packages=()
for tool in $tools; do packages+=("${provider[$tool]}"); done
# libFuzzer and the sanitizers of clang are packages of their own.
[[ " ${packages[*]} " == *" clang-19 "* ]] && packages+=(libclang-rt-19-dev)
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing ${packages[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null || true
  apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null || true
fi

tools=$(missing)
[ -n "$tools" ] || exit 0
echo "*** NOT INSTALLED: $(echo $tools)" >&2
echo "*** The tests that need them are SKIPPED. On Debian: sudo apt-get install ${packages[*]}" >&2
[ "${MBRT_REQUIRE_ALL:-0}" != 1 ]
