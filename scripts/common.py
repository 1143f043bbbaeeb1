"""What scripts, benchmarks and tests share: folders, missing tools, running commands."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
BUILD = REPOSITORY / "build"
DIST = REPOSITORY / "dist"
AARCH64 = BUILD / "packages" / "wheel-aarch64"  # CMake's folder, shared by everything that is built for aarch64

EXIT_UNAVAILABLE = 69  # EX_UNAVAILABLE of sysexits.h: this machine lacks a tool; the code is not at fault

# The Debian package of each program that scripts, benchmarks and tests call.
DEBIAN_PACKAGES: Mapping[str, str] = {
    "aarch64-linux-gnu-g++": "g++-aarch64-linux-gnu",
    "aarch64-linux-gnu-gcc": "gcc-aarch64-linux-gnu",
    "arm-linux-gnueabihf-g++": "g++-arm-linux-gnueabihf",
    "x86_64-w64-mingw32-g++-posix": "g++-mingw-w64-x86-64-posix",
    "qemu-aarch64": "qemu-user",
    "qemu-arm": "qemu-user",
    "clang++-19": "clang-19",
    "clang-tidy-19": "clang-tidy-19",
    "wasm-ld-19": "lld-19",
    "ld64.lld-19": "lld-19",
    "llvm-ar-19": "llvm-19",
    "llvm-mca-19": "llvm-19",
    "llvm-objdump-19": "llvm-19",
    "chromium": "chromium",
    "java": "openjdk-17-jre-headless",
    "javac": "openjdk-17-jdk-headless",
    "jar": "openjdk-17-jdk-headless",
    "pkg-config": "pkg-config",
    "g++": "g++",
    "cc": "gcc",
    "c++filt": "binutils",
    "cmake": "cmake",
    "git": "git",
}


class ScriptError(Exception):
    """A step failed; the message says where, what was found and how to fix it."""


class UnavailableError(ScriptError):
    """This machine lacks a tool."""


def cache_folder() -> Path:
    """Files kept between runs: $MBRT_CACHE, else $XDG_CACHE_HOME/mobilebert_rt, else ~/.cache/mobilebert_rt."""
    if chosen := os.environ.get("MBRT_CACHE"):
        return Path(chosen).absolute()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").absolute() / "mobilebert_rt"


def find_tool(name: str) -> str:
    """Path of a program. UnavailableError with its Debian package when it is missing."""
    path = shutil.which(name)
    if path is None:
        package = DEBIAN_PACKAGES.get(name) or DEBIAN_PACKAGES.get(f"{name.rpartition('-')[0]}-g++", name)
        raise UnavailableError(f"{name} is not installed. On Debian: apt-get install {package}")
    return path


def missing_tool(*names: str) -> str:
    """The message about the first program that is missing; empty when all are installed."""
    try:
        for name in names:
            find_tool(name)
    except UnavailableError as error:
        return str(error)
    return ""


def make_parser(description: str | None, **keywords: Any) -> argparse.ArgumentParser:
    """A parser whose help shows the description and the epilog as they are."""
    form = argparse.RawDescriptionHelpFormatter
    return argparse.ArgumentParser(description=description, formatter_class=form, **keywords)


def say(message: str) -> None:
    print(message, flush=True)


def run(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    text: str | None = None,
) -> str:
    """Standard output of a command. ScriptError with all its output when it fails."""
    done = subprocess.run(command, env=env, cwd=cwd, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        words = " ".join(str(word) for word in command)
        raise ScriptError(f"{words}: exit code {done.returncode}\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


def exit_with(main: Callable[[], int]) -> None:
    """Runs a script's main function; an error becomes a message and an exit code."""
    try:
        sys.exit(main())
    except UnavailableError as error:
        print(f"skipped: {error}", file=sys.stderr)
        sys.exit(EXIT_UNAVAILABLE)
    except ScriptError as error:
        print(f"failed: {error}", file=sys.stderr)
        sys.exit(1)
