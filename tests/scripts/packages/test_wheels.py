"""The tag of a wheel is the one that its compiled files allow; compiled files are checked for machine and page size."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from scripts.common import ScriptError, missing_tool
from scripts.packages import elf, wheels
from scripts.packages.interpreters import Interpreter
from scripts.packages.machines import MACHINES

pytest.importorskip("auditwheel")
wheelfile = pytest.importorskip("wheel.wheelfile")

X86 = MACHINES["x86_64"]
INFO = "thing-1.0.dist-info/"
PLAIN = "thing-1.0-cp311-cp311-linux_x86_64.whl"

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64" or shutil.which("g++") is None, reason="needs g++ on x86-64"
)

# A function and its header; the first manylinux_2_X whose glibc has what it calls.
NEEDS = {
    34: ("extern int f(void) { return pthread_create(0, 0, 0, 0); }", "#include <pthread.h>"),
    36: ("extern unsigned f(void) { return arc4random(); }", "#include <stdlib.h>"),
}


def shared_library(body: str, file: Path, *options: str) -> Path:
    command = ("g++", "-shared", "-fPIC", "-o", file, "-x", "c++", "-", *options)
    subprocess.run(command, input=body, text=True, check=True)
    return file


def wheel_of(library: Path, folder: Path) -> Path:
    """A wheel as a build backend writes it."""
    folder.mkdir(exist_ok=True)
    tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: cp311-cp311-linux_x86_64\n"
    with wheelfile.WheelFile(folder / PLAIN, "w") as archive:
        archive.write(library, f"thing/{library.name}")
        archive.writestr("thing/__init__.py", "")
        archive.writestr(INFO + "METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        archive.writestr(INFO + "WHEEL", tags)
    return folder / PLAIN


@pytest.mark.parametrize("minor", NEEDS)
def test_tag_follows_the_newest_symbol(minor: int, tmp_path: Path) -> None:
    body, header = NEEDS[minor]
    library = shared_library(f"{header}\n{body}", tmp_path / "core.so")
    assert elf.platform_tag(wheel_of(library, tmp_path)).startswith(f"manylinux_2_{minor}_")


def test_library_beside_the_systems_is_an_error(tmp_path: Path) -> None:
    shared_library("extern int g(void) { return 1; }", tmp_path / "libodd.so", "-Wl,-soname,libodd.so.1")
    library = shared_library(
        "int g(void); int f(void) { return g(); }", tmp_path / "core.so", "-L", str(tmp_path), "-lodd"
    )
    with pytest.raises(ScriptError, match=r"fits no manylinux tag.*libodd\.so\.1"):
        elf.platform_tag(wheel_of(library, tmp_path))


def test_file_for_another_machine_is_rejected(tmp_path: Path) -> None:
    library = shared_library("int f(void) { return 1; }", tmp_path / "core.so")
    with pytest.raises(ScriptError, match="expected EM_AARCH64"):
        elf.check_machine(library, MACHINES["aarch64"])


def test_program_with_shared_libraries_is_not_static(tmp_path: Path) -> None:
    for name, options in (("shared", []), ("static", ["-static"])):
        command = ("g++", "-x", "c++", "-", "-o", tmp_path / name, *options)
        subprocess.run(command, input="int main() {}", text=True, check=True)
        assert elf.is_static(tmp_path / name) == (name == "static")


@pytest.mark.parametrize(("page", "good"), [(4096, False), (16384, True), (65536, True)])
def test_aarch64_file_must_be_aligned_for_16_kib_pages(page: int, good: bool, tmp_path: Path) -> None:
    machine = MACHINES["aarch64"]
    if missing := missing_tool(machine.prefix + "gcc"):
        pytest.skip(missing)
    file = tmp_path / "core.so"
    command = (machine.prefix + "gcc", "-shared", "-nostdlib", f"-Wl,-z,max-page-size={page}", "-o", file, "-x", "c")
    subprocess.run((*command, "-"), input="int f(void) { return 1; }", text=True, check=True)
    if good:
        elf.check_machine(file, machine)
    else:
        with pytest.raises(ScriptError, match="aligned for pages of 4096 bytes"):
            elf.check_machine(file, machine)


@pytest.mark.parametrize(
    ("package", "abi", "platform"),
    [
        ("wheel-x86_64", "cp311", "manylinux_2_[0-9]+_x86_64"),
        ("wheel-x86_64", "cp313t", "manylinux_2_[0-9]+_x86_64"),
        ("wheel-x86_64-musl", "cp310", "musllinux_1_2_x86_64"),
    ],
)
def test_tagged_wheel_is_valid_and_reproducible(
    package: str, abi: str, platform: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    python = Interpreter(int(abi[3:].rstrip("t")), abi.endswith("t"), tmp_path)
    library = shared_library("int f(void) { return 1; }", tmp_path / "core.so", "-nostdlib")
    first, second = (
        wheels.retag(wheel_of(library, tmp_path / name), wheels.TARGETS[package], python, tmp_path / f"{name}-out")
        for name in "ab"
    )
    assert first.read_bytes() == second.read_bytes()
    assert re.fullmatch(f"thing-1.0-{abi.rstrip('t')}-{abi}-{platform}.whl", first.name)
    with wheelfile.WheelFile(first) as archive:  # reading checks every digest of RECORD
        for name in archive.namelist():
            archive.read(name)
    with zipfile.ZipFile(first) as plain:
        tag = first.name.removeprefix("thing-1.0-").removesuffix(".whl")
        assert f"Tag: {tag}" in plain.read(INFO + "WHEEL").decode()


def test_musl_wheel_that_needs_another_library_is_an_error(tmp_path: Path) -> None:
    body = "#include <cmath>\nextern double f(double x) { return std::lgamma(x); }"
    library = shared_library(body, tmp_path / "core.cpython-311-x86_64-linux-musl.so")
    python = Interpreter(11, free_threaded=False, include=tmp_path)
    with pytest.raises(ScriptError, match=r"needs lib.*\.so\.6; a musl wheel needs libc\.so alone"):
        wheels.check(wheel_of(library, tmp_path), wheels.TARGETS["wheel-x86_64-musl"], python)
