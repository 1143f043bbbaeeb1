"""External programs: finding and running them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

# Program: Debian package.
PACKAGES: Mapping[str, str] = {
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
    "aarch64-linux-gnu-g++": "g++-aarch64-linux-gnu",
    "qemu-aarch64": "qemu-user",
    "llvm-mca-19": "llvm-19",
    "llvm-objdump-19": "llvm-19",
    "c++filt": "binutils",
    "cmake": "cmake",
    "cc": "gcc",
}


class HarnessError(Exception):
    """A measurement failed; the message says why and how to fix it."""


class MissingToolError(HarnessError):
    """A program is not installed."""


def find(tool: str) -> str:
    """Path of a program of PACKAGES. Raises MissingToolError."""
    path = shutil.which(tool)
    if path is None:
        raise MissingToolError(f"{tool}: not installed. On Debian: apt-get install {PACKAGES[tool]}")
    return path


def missing(*tools: str) -> str:
    """The error message for the first tool that is not installed, or ""."""
    try:
        for tool in tools:
            find(tool)
    except MissingToolError as lack:
        return str(lack)
    return ""


def output(
    command: Sequence[str | Path],
    *,
    text: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Standard output of a command. Raises HarnessError with its standard error if it fails."""
    environment = None if env is None else {**os.environ, **env}
    done = subprocess.run(command, input=text, env=environment, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        line = " ".join(str(word) for word in command)
        message = (done.stderr or done.stdout).strip()[-3000:]
        raise HarnessError(f"{line}\nfailed with code {done.returncode}:\n{message}")
    return done.stdout
