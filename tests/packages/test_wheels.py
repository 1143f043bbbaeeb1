"""A wheel's tag says what its compiled files truly need; its list of files is right."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import platform
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import elf
import pytest
import wheels
from common import MACHINES, PackageError

X86 = MACHINES["x86_64"]
INFO = "thing-1.0.dist-info/"
PLAIN = "thing-1.0-cp311-cp311-linux_x86_64.whl"

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64" or shutil.which("g++") is None, reason="needs g++ on x86-64"
)

# A function body, what it needs, and the oldest tag that allows it.
NEEDS = {
    "2_28": ("extern int f(int x) { return x + getpid(); }", "#include <unistd.h>"),
    "2_34": ("extern int f(void) { return pthread_create(0, 0, 0, 0); }", "#include <pthread.h>"),
    "2_36": ("extern unsigned f(void) { return arc4random(); }", "#include <stdlib.h>"),
}


def shared_library(body: str, file: Path, *options: str) -> Path:
    command = ("g++", "-shared", "-fPIC", "-o", file, "-x", "c++", "-", *options)
    subprocess.run(command, input=body, text=True, check=True)
    return file


def wheel_of(library: Path, folder: Path) -> Path:
    """A wheel as a build backend leaves it: plain tag, files in any order, dated now."""
    wheel = folder / PLAIN
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(INFO + "RECORD", "not yet right\n")
        archive.write(library, f"thing/{library.name}")
        archive.writestr("thing/__init__.py", "")
        archive.writestr(INFO + "METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
        archive.writestr(
            INFO + "WHEEL",
            "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: false\nTag: cp311-cp311-linux_x86_64\n",
        )
    return wheel


@pytest.mark.parametrize("tag", NEEDS)
def test_the_tag_is_the_oldest_that_the_symbols_allow(tag: str, tmp_path: Path) -> None:
    body, header = NEEDS[tag]
    library = shared_library(f"{header}\n{body}", tmp_path / "core.so")
    assert elf.manylinux_tag(wheel_of(library, tmp_path), X86) == f"manylinux_{tag}_x86_64"


@pytest.mark.parametrize("tag", NEEDS)
def test_auditwheel_finds_the_written_tag_true(tag: str, tmp_path: Path) -> None:
    pytest.importorskip("auditwheel")
    body, header = NEEDS[tag]
    wheel = wheel_of(shared_library(f"{header}\n{body}", tmp_path / "core.so"), tmp_path)
    (tmp_path / "out").mkdir()
    written = wheels.retag(wheel, X86, elf.manylinux_tag(wheel, X86), tmp_path / "out")
    command = (sys.executable, "-m", "auditwheel", "show", "--json", written)
    said = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    audited = [int(part) for part in said["overall_tag"].split("_")[1:3]]
    assert audited <= [int(part) for part in tag.split("_")], said


def test_a_library_that_not_every_system_has_is_named(tmp_path: Path) -> None:
    shared_library("extern int g(void) { return 1; }", tmp_path / "libodd.so", "-Wl,-soname,libodd.so.1")
    library = shared_library(
        "int g(void); int f(void) { return g(); }", tmp_path / "core.so", "-L", str(tmp_path), "-lodd"
    )
    with pytest.raises(PackageError, match=r"core\.so needs libodd\.so\.1"):
        elf.manylinux_tag(wheel_of(library, tmp_path), X86)


def test_a_file_for_another_machine_is_refused(tmp_path: Path) -> None:
    library = shared_library("int f(void) { return 1; }", tmp_path / "core.so")
    with pytest.raises(PackageError, match="is not compiled for aarch64"):
        elf.check_machine(library, MACHINES["aarch64"])


@pytest.mark.parametrize(("page", "good"), [(4096, False), (16384, True), (65536, True)])
def test_an_aarch64_file_must_be_aligned_for_16_kib_pages(page: int, good: bool, tmp_path: Path) -> None:
    machine = MACHINES["aarch64"]
    if shutil.which(machine.prefix + "gcc") is None:
        pytest.skip(f"{machine.debian} is not installed")
    file = tmp_path / "core.so"
    command = (machine.prefix + "gcc", "-shared", "-nostdlib", f"-Wl,-z,max-page-size={page}", "-o", file, "-x", "c")
    subprocess.run((*command, "-"), input="int f(void) { return 1; }", text=True, check=True)
    if good:
        elf.check_machine(file, machine)
    else:
        with pytest.raises(PackageError, match="aligned for pages of 4096 bytes"):
            elf.check_machine(file, machine)


def test_a_retagged_wheel_lists_its_files_and_is_the_same_whenever_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    library = shared_library("int f(void) { return 1; }", tmp_path / "core.so")
    written = []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        written.append(wheels.retag(wheel_of(library, tmp_path), X86, "manylinux_2_28_x86_64", tmp_path / name))
    assert written[0].read_bytes() == written[1].read_bytes()
    assert written[0].name == "thing-1.0-cp311-cp311-manylinux_2_28_x86_64.whl"

    with zipfile.ZipFile(written[0]) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    assert b"\nTag: cp311-cp311-manylinux_2_28_x86_64\n" in files[INFO + "WHEEL"]
    listed = {row[0]: row[1:] for row in csv.reader(io.StringIO(files[INFO + "RECORD"].decode()))}
    assert listed.keys() == files.keys()
    for name, (digest, size) in listed.items():
        if name != INFO + "RECORD":
            sha = base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).decode().rstrip("=")
            assert (digest, size) == (f"sha256={sha}", str(len(files[name])))
