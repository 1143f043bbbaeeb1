"""What compiled files need of the machine they are copied to: page size, libraries, versions of their symbols."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from common import Machine, PackageError, need, run

# PEP 600: a wheel tagged manylinux_2_X needs no glibc newer than 2.X, and no newer libstdc++ and libgcc than
# distributions of that glibc have. The newest versions that each tag allows, oldest tag first.
MANYLINUX = (
    (28, {"GLIBCXX": (3, 4, 24), "CXXABI": (1, 3, 11)}),
    (31, {"GLIBCXX": (3, 4, 28), "CXXABI": (1, 3, 12)}),
    (34, {"GLIBCXX": (3, 4, 29), "CXXABI": (1, 3, 13)}),
    (35, {"GLIBCXX": (3, 4, 30), "CXXABI": (1, 3, 13)}),
    (36, {"GLIBCXX": (3, 4, 30), "CXXABI": (1, 3, 13)}),
)
# Libraries of the system that a wheel of those tags may be linked with, and that this project means to use.
SYSTEM_LIBRARIES = {
    "libc.so.6",
    "libm.so.6",
    "libstdc++.so.6",
    "libgcc_s.so.1",
    "libpthread.so.0",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
}
OLD_LIBGCC = (8, 0, 0)  # GCC_x versions up to this are in every system's libgcc_s


def is_elf(data: bytes) -> bool:
    return data[:4] == b"\x7fELF"


def readelf(file: Path, *options: str) -> str:
    return run((need("readelf", "binutils"), "-W", *options, file))


def check_machine(file: Path, machine: Machine) -> None:
    """The file must be compiled for the machine, and every loaded segment aligned for its largest page."""
    if machine.elf not in re.findall(r"Machine:\s+(.*)", readelf(file, "-h")):
        raise PackageError(f"{file.name} is not compiled for {machine.name}")
    alignments = [int(found, 16) for found in re.findall(r"^\s*LOAD .* (0x[0-9a-f]+)$", readelf(file, "-l"), re.M)]
    if not alignments:
        raise PackageError(f"{file.name} has no segment that is loaded")
    if min(alignments) < machine.page:
        raise PackageError(
            f"{file.name} is aligned for pages of {min(alignments)} bytes, {machine.name} may have {machine.page}: "
            "link with -Wl,-z,max-page-size"
        )


def needed_libraries(file: Path) -> set[str]:
    return set(re.findall(r"\(NEEDED\)\s+Shared library: \[(.*)\]", readelf(file, "-d")))


def newest_versions(file: Path) -> dict[str, tuple[int, ...]]:
    """For each family of symbol versions (GLIBC, GLIBCXX, ...), the newest that the file needs."""
    newest: dict[str, tuple[int, ...]] = {}
    needs = readelf(file, "-V").partition(".gnu.version_r")[2]
    for family, number in re.findall(r"Name: (\w+?)_(\d[\d.]*)\b", needs):
        found = tuple(int(part) for part in number.split("."))
        newest[family] = max(newest.get(family, ()), found)
    return newest


def manylinux_minor(file: Path) -> int:
    """The oldest tag manylinux_2_X that the file satisfies: X."""
    if strange := needed_libraries(file) - SYSTEM_LIBRARIES:
        raise PackageError(f"{file.name} needs {', '.join(sorted(strange))}, which not every system has")
    needs = newest_versions(file)
    if strange := set(needs) - {"GLIBC", "GLIBCXX", "CXXABI", "GCC"}:
        raise PackageError(f"{file.name} needs symbol versions {', '.join(sorted(strange))}, which no tag covers")
    if needs.get("GCC", ()) > OLD_LIBGCC:
        raise PackageError(f"{file.name} needs libgcc_s of GCC {needs['GCC']}; few systems have it")
    for minor, newest in MANYLINUX:
        if needs.get("GLIBC", ()) < (2, minor + 1) and all(needs.get(f, ()) <= newest[f] for f in newest):
            return minor
    raise PackageError(f"{file.name} needs {needs}, more than any known tag allows: build on an older system")


def manylinux_tag(wheel: Path, machine: Machine) -> str:
    """The tag that every compiled file of a wheel satisfies."""
    minors = []
    with zipfile.ZipFile(wheel) as archive, TemporaryDirectory() as folder:
        for name in archive.namelist():
            if is_elf(archive.read(name)):
                file = Path(archive.extract(name, folder))
                check_machine(file, machine)
                minors.append(manylinux_minor(file))
    if not minors:
        raise PackageError(f"{wheel.name} holds no compiled file")
    return f"manylinux_2_{max(minors)}_{machine.name}"
