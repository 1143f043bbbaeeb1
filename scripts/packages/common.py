"""What the packaging scripts share: the machines packages are made for, and what makes two builds the same bytes."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / "build" / "packages"
DIST = REPOSITORY / "dist"

EXIT_UNAVAILABLE = 69  # sysexits.h, as scripts/arm: this machine lacks a tool, nothing is wrong with the code


class PackageError(Exception):
    """A package could not be made, or is not what it says: the message says what, where and how to mend it."""


class UnavailableError(PackageError):
    """The machine lacks a tool."""


@dataclass(frozen=True)
class Machine:
    """A machine that packages are made for."""

    name: str  # as in a wheel's tag and an archive's name
    prefix: str  # of the cross compiler and its binutils; empty: this machine's own
    toolchain: str | None  # CMake's file
    debian: str  # the package that has the compiler
    page: int  # the largest page size that a kernel of it may have, which every segment is aligned for
    elf: str  # as readelf -h prints it

    def tool(self, name: str) -> str:
        """Path of the machine's program: g++, objdump, ..."""
        return need(self.prefix + name, self.debian)


MACHINES: Mapping[str, Machine] = {
    machine.name: machine
    for machine in (
        Machine("x86_64", "", None, "g++", 4096, "Advanced Micro Devices X86-64"),
        Machine("aarch64", "aarch64-linux-gnu-", "aarch64-linux-gnu.cmake", "g++-aarch64-linux-gnu", 16384, "AArch64"),
        Machine("armhf", "arm-linux-gnueabihf-", "arm-linux-gnueabihf.cmake", "g++-arm-linux-gnueabihf", 4096, "ARM"),
    )
}


def need(tool: str, package: str) -> str:
    """Path of a program, or UnavailableError naming the Debian package that has it."""
    path = shutil.which(tool)
    if path is None:
        raise UnavailableError(f"{tool} is not installed. On Debian: apt-get install {package}")
    return path


def say(message: str) -> None:
    print(message, flush=True)


def run(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """Runs a command and returns what it printed; when it fails, shows all that it said."""
    done = subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.stderr.write(done.stdout + done.stderr)
        raise PackageError(f"exit code {done.returncode}: {' '.join(str(word) for word in command)}")
    return done.stdout


def exit_with(main: Callable[[], int]) -> None:
    """Runs a script's main function and turns its errors into one clear line and an exit code."""
    try:
        sys.exit(main())
    except UnavailableError as lack:
        print(f"skipped: {lack}", file=sys.stderr)
        sys.exit(EXIT_UNAVAILABLE)
    except PackageError as error:
        print(f"failed: {error}", file=sys.stderr)
        sys.exit(1)


def version(source: Path = REPOSITORY) -> str:
    """The version, from the one place that has it."""
    found = re.search(r"project\(mobilebert_rt VERSION ([0-9.]+)", (source / "CMakeLists.txt").read_text())
    if found is None:
        raise PackageError(f"{source / 'CMakeLists.txt'} has no line project(mobilebert_rt VERSION ...)")
    return found[1]


def epoch() -> int:
    """The time that every file of a package is given: $SOURCE_DATE_EPOCH, else that of the last commit."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        if not given.isdecimal():
            raise PackageError(f"SOURCE_DATE_EPOCH must be seconds since 1970, not {given!r}")
        return int(given)
    git = shutil.which("git")
    if git is None or not (REPOSITORY / ".git").exists():
        raise PackageError("packages are dated by the last commit; outside a repository, set SOURCE_DATE_EPOCH")
    return int(run((git, "log", "-1", "--format=%ct"), cwd=REPOSITORY))


def export(destination: Path) -> Path:
    """The last commit's tree, unpacked into the folder: what is packed is what was committed, nothing else."""
    git = need("git", "git")
    if run((git, "status", "--porcelain", "--untracked-files=no"), cwd=REPOSITORY):
        say("note: the tree has changes that are not committed; they are not packed")
    shutil.rmtree(destination, ignore_errors=True)
    destination.parent.mkdir(parents=True, exist_ok=True)
    archive = destination.with_suffix(".tar")
    run((git, "archive", "--output", archive, "HEAD"), cwd=REPOSITORY)
    unpack(archive, destination)
    archive.unlink()
    return destination


def unpack(archive: Path, folder: Path) -> None:
    folder.mkdir(parents=True)
    run((need("tar", "tar"), "-xf", archive, "-C", folder))


def environment(source: Path, objects: Path) -> dict[str, str]:
    """The environment of a compilation whose bytes do not tell where it was made, nor when."""
    flags = [os.environ.get("CXXFLAGS", ""), "-g0"]
    # The last that matches wins: the folder of objects may lie inside that of the sources.
    flags += [shlex.quote(f"-ffile-prefix-map={source}=."), shlex.quote(f"-ffile-prefix-map={objects}=build")]
    joined = " ".join(flag for flag in flags if flag)
    return {
        **os.environ,
        "CXXFLAGS": joined,
        "CFLAGS": joined,
        "SOURCE_DATE_EPOCH": str(epoch()),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }
