"""The machines packages are made for, and what makes two builds of a package the same bytes."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts.common import REPOSITORY, ScriptError, find_tool, run, say


@dataclass(frozen=True)
class Machine:
    """A machine that packages are made for."""

    name: str  # as in a wheel's tag and an archive's name
    prefix: str  # of the cross compiler and its binutils; empty: this machine's own
    toolchain: str | None  # file in cmake/toolchains
    page: int  # alignment of segments: the largest page size of a kernel for this machine
    elf: str  # e_machine in an ELF header

    def tool(self, name: str) -> str:
        """Path of the machine's program: g++, objdump, ..."""
        return find_tool(self.prefix + name)


MACHINES: Mapping[str, Machine] = {
    machine.name: machine
    for machine in (
        Machine("x86_64", "", None, 4096, "EM_X86_64"),
        Machine("aarch64", "aarch64-linux-gnu-", "aarch64-linux-gnu.cmake", 16384, "EM_AARCH64"),
        Machine("armhf", "arm-linux-gnueabihf-", "armhf-linux-gnu.cmake", 4096, "EM_ARM"),
    )
}


def version(source: Path = REPOSITORY) -> str:
    """The version, from CMakeLists.txt."""
    found = re.search(r"project\(mobilebert_rt VERSION ([0-9.]+)", (source / "CMakeLists.txt").read_text())
    if found is None:
        raise ScriptError(f"{source / 'CMakeLists.txt'} has no line project(mobilebert_rt VERSION ...)")
    return found[1]


def epoch() -> int:
    """The time stamp of every packed file: $SOURCE_DATE_EPOCH, else the time of the last commit."""
    if given := os.environ.get("SOURCE_DATE_EPOCH"):
        if not given.isdecimal():
            raise ScriptError(f"SOURCE_DATE_EPOCH is {given!r}; expected seconds since 1970")
        return int(given)
    if not (REPOSITORY / ".git").exists():
        raise ScriptError(f"{REPOSITORY}: not a git repository, which dates the packages. Set SOURCE_DATE_EPOCH.")
    return int(run((find_tool("git"), "log", "-1", "--format=%ct"), cwd=REPOSITORY))


def export(destination: Path) -> Path:
    """Unpacks the tree of the last commit into a folder."""
    git = find_tool("git")
    if run((git, "status", "--porcelain", "--untracked-files=no"), cwd=REPOSITORY):
        say("note: uncommitted changes are not packed")
    shutil.rmtree(destination, ignore_errors=True)
    destination.parent.mkdir(parents=True, exist_ok=True)
    archive = destination.with_suffix(".tar")
    run((git, "archive", "--output", archive, "HEAD"), cwd=REPOSITORY)
    shutil.unpack_archive(archive, destination)
    archive.unlink()
    return destination


def environment(source: Path, objects: Path) -> dict[str, str]:
    """The environment of a compilation whose result depends neither on the folders nor on the time."""
    flags = [os.environ.get("CXXFLAGS", ""), "-g0"]
    # The last match wins: the folder of objects may be inside the source folder.
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
