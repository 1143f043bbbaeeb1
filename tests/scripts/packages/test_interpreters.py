"""The CPythons that wheels are built for: how they are found, and that the headers of one machine serve another."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from scripts.arm.emulation import sysroot
from scripts.common import ScriptError
from scripts.packages import interpreters
from scripts.packages.interpreters import Interpreter

HEADERS = Path(sysconfig.get_paths()["include"])
needs_headers = pytest.mark.skipif(not (HEADERS / "Python.h").is_file(), reason="needs the headers of this Python")


def preprocessed(include: Path, configuration: str) -> str:
    """Python.h as the compiler sees it, with another pyconfig.h."""
    (include / "pyconfig.h").write_text(configuration)
    command = ("g++", "-E", "-P", "-I", include, "-x", "c++", "-")
    return subprocess.run(command, input="#include <Python.h>", capture_output=True, text=True, check=True).stdout


@needs_headers
def test_this_python_is_found_once_among_others() -> None:
    found = interpreters.find()
    this = interpreters.describe(sys.executable)
    assert this in found
    assert len({interpreter.abi_tag for interpreter in found}) == len(found)
    assert all(interpreter.minor >= 10 and (interpreter.include / "Python.h").is_file() for interpreter in found)


@pytest.mark.parametrize("program", ["/bin/false", "/bin/true", "/no/such/python"])
def test_program_that_is_no_cpython_is_an_error(program: str) -> None:
    with pytest.raises(ScriptError, match=r"not a CPython 3\.10 or later with headers"):
        interpreters.find([Path(program)])


@pytest.mark.parametrize(("free_threaded", "abi"), [(False, "cp313"), (True, "cp313t")])
def test_names_of_files_and_tags(free_threaded: bool, abi: str) -> None:
    python = Interpreter(13, free_threaded, Path("include"))
    assert (python.python_tag, python.abi_tag) == ("cp313", abi)
    assert python.suffix("aarch64-linux-musl") == f".cpython-{abi.removeprefix('cp')}-aarch64-linux-musl.so"


def test_headers_of_debian_hold_the_configuration_of_the_machine(tmp_path: Path) -> None:
    """Its pyconfig.h includes the machine's from a folder that cross compilers do not search."""
    include, machine = tmp_path / "usr/python3.14", tmp_path / "usr/x86_64-linux-gnu/python3.14"
    for folder, configuration in ((include, "#include <x86_64-linux-gnu/python3.14/pyconfig.h>"), (machine, "real")):
        folder.mkdir(parents=True)
        (folder / "pyconfig.h").write_text(configuration)
    (include / "Python.h").write_text("python")
    (include / "cpython").mkdir()
    for multiarch in (None, "aarch64-linux-gnu"):
        assert Interpreter(14, False, include, multiarch).headers(tmp_path / "copy") == include
    for _ in range(2):  # again in the same folder: the next wheel of the target
        copy = Interpreter(14, False, include, "x86_64-linux-gnu").headers(tmp_path / "copy")
        assert {path.name for path in copy.iterdir()} == {"Python.h", "cpython", "pyconfig.h"}
        assert (copy / "pyconfig.h").read_text() == "real"


@needs_headers
def test_headers_are_the_same_for_x86_and_arm(tmp_path: Path) -> None:
    arm = sysroot() / "usr/include/python3.11/pyconfig.h"
    if shutil.which("g++") is None or not arm.is_file() or sys.version_info[:2] != (3, 11):
        pytest.skip("[cpu] needs g++, Python 3.11, and the emulated ARM system")
    include = Path(shutil.copytree(HEADERS, tmp_path / "include"))
    mine = (include / "pyconfig.h").read_text()
    if "#include" in mine:  # Debian's chooses by architecture
        mine = (HEADERS.parent / sysconfig.get_config_var("MULTIARCH") / HEADERS.name / "pyconfig.h").read_text()
    other = arm.read_text()
    assert mine != other
    text = preprocessed(include, mine)
    assert "PyObject" in text
    assert preprocessed(include, other) == text
