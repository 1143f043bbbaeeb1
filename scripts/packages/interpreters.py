"""The CPythons that wheels are built for. Only their headers are read: a wheel is built without running them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.common import ScriptError

OLDEST = 10  # CPython 3.10: requires-python in pyproject.toml
DESCRIBE = """
import json, sys, sysconfig
free = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
print(json.dumps([sys.implementation.name, *sys.version_info[:2], free, sysconfig.get_paths()["include"],
                  sysconfig.get_config_var("MULTIARCH")]))
"""


@dataclass(frozen=True)
class Interpreter:
    """A CPython, by its headers. They serve other machines too: what pyconfig.h says of one changes nothing in Python.h
    (tests/scripts/packages/test_interpreters.py)."""

    minor: int
    free_threaded: bool
    include: Path
    multiarch: str | None = None  # the machine's name in Debian's folders

    @property
    def python_tag(self) -> str:
        return f"cp3{self.minor}"

    @property
    def abi_tag(self) -> str:
        return self.python_tag + ("t" if self.free_threaded else "")

    def suffix(self, triplet: str) -> str:
        """How the file name of an extension module ends."""
        return f".cpython-{self.abi_tag.removeprefix('cp')}-{triplet}.so"

    def headers(self, folder: Path) -> Path:
        """A folder with all headers. Debian's pyconfig.h includes that of the machine from a system folder, which cross
        compilers do not search: then the headers are copied to `folder`, with the machine's own in its place."""
        machine = self.include.parent / (self.multiarch or "") / self.include.name / "pyconfig.h"
        if self.multiarch is None or not machine.is_file():
            return self.include
        copy = folder / self.abi_tag
        shutil.copytree(self.include, copy, dirs_exist_ok=True)
        shutil.copy(machine, copy)
        return copy


def describe(python: Path | str) -> Interpreter | None:
    """The interpreter of a program; None: it cannot be run, is not CPython 3.10 or later, or has no headers."""
    try:
        done = subprocess.run((python, "-I", "-c", DESCRIBE), capture_output=True, text=True, timeout=60, check=True)
        name, major, minor, free, include, multiarch = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    found = Interpreter(minor, free == "t", Path(include), multiarch)
    known = name == "cpython" and major == 3 and minor >= OLDEST
    return found if known and (found.include / "Python.h").is_file() else None


def installed() -> Iterator[Path]:
    """Programs that may be a CPython: this one, those of pyenv, those of the system."""
    yield Path(sys.executable)
    for folder in (Path.home() / ".pyenv/versions", Path("/opt/python")):  # pyenv's; a manylinux image's
        yield from sorted(folder.glob("*/bin/python3"), reverse=True)
    for folder in (Path("/usr/local/bin"), Path("/usr/bin")):
        yield from sorted(folder.glob("python3.[0-9]*[0-9t]"))


def find(given: Sequence[Path] = ()) -> list[Interpreter]:
    """One interpreter for each ABI: of the given programs, or else of the installed ones."""
    found: dict[str, Interpreter] = {}
    for python in given or installed():
        interpreter = describe(python)
        if interpreter is not None:
            found.setdefault(interpreter.abi_tag, interpreter)
        elif given:
            raise ScriptError(f"{python}: not a CPython 3.{OLDEST} or later with headers (Python.h)")
    if not found:
        raise ScriptError("no CPython with headers (Python.h). On Debian: apt-get install python3-dev")
    return sorted(found.values(), key=lambda interpreter: (interpreter.minor, interpreter.free_threaded))
