"""The programs that the harness calls, and how it says that one is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

# What each is for is in README.md. The names are Debian's.
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
    """Something went wrong, and the message says what and how to mend it."""


class MissingToolError(HarnessError):
    """A program that can be installed is not there."""


def find(tool: str) -> str:
    """Path of a program of PACKAGES, or MissingToolError."""
    path = shutil.which(tool)
    if path is None:
        raise MissingToolError(f"{tool} is not installed. On Debian: apt-get install {PACKAGES[tool]}")
    return path


def missing(*tools: str) -> str:
    """The sentence for the first of the tools that is not installed, or nothing."""
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
    """What the command printed. HarnessError with all that it complained of when it fails."""
    surroundings = None if env is None else {**os.environ, **env}
    done = subprocess.run(command, input=text, env=surroundings, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = " ".join(str(word) for word in command)
        said = (done.stderr or done.stdout).strip()[-3000:]
        raise HarnessError(f"{words}\nfailed with code {done.returncode}:\n{said}")
    return done.stdout
