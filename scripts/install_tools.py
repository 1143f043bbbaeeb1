"""Installs the compilers and emulators that `make test` uses, where apt can; otherwise names what is missing.

With MBRT_REQUIRE_ALL=1 a missing tool is an error.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from scripts.common import DEBIAN_PACKAGES


def missing() -> dict[str, str]:
    """The programs that are not installed, with their packages."""
    return {tool: package for tool, package in DEBIAN_PACKAGES.items() if shutil.which(tool) is None}


def main() -> int:
    tools = missing()
    packages = sorted(set(tools.values()))
    if "clang-19" in packages:
        packages.append("libclang-rt-19-dev")  # libFuzzer and the sanitizers
    if "lld-19" in packages:
        packages += ["libc++-19-dev-wasm32", "libc++abi-19-dev-wasm32", "libclang-rt-19-dev-wasm32", "wasi-libc"]
    if tools and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"installing {' '.join(packages)}", flush=True)
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(("apt-get", "update", "-qq"), env=env, check=False)
        options = ("install", "-y", "-qq", "--no-install-recommends")
        subprocess.run(("apt-get", *options, *packages), env=env, stdout=subprocess.DEVNULL, check=False)
        tools = missing()
    if not tools:
        return 0
    print(f"*** NOT INSTALLED: {' '.join(tools)}", file=sys.stderr)
    print(f"*** Tests that need them are SKIPPED. On Debian: apt-get install {' '.join(packages)}", file=sys.stderr)
    return int(os.environ.get("MBRT_REQUIRE_ALL") == "1")


if __name__ == "__main__":
    sys.exit(main())
