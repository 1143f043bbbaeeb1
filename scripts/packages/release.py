"""Builds every package of the last commit into dist, with their SHA-256 sums: the same bytes wherever and whenever.

    sdist                                   the Python source package
    wheel-x86_64, wheel-aarch64             the wheels, from the source package (scripts/packages/wheels.py)
    native-x86_64, native-aarch64, native-armhf
                                            two archives each: the install tree (header, libraries, CMake and
                                            pkg-config files, mbrt) and the static mbrt alone

What is packed is the last commit as git has it, compiled from nothing. Every compiled file is checked for its
machine, page size, build paths and, by disassembly, the baseline (scripts/packages/baseline.py).

With --check everything is built twice, in folders of different names, and the two must be equal byte for byte.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import shutil
import stat
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import baseline
import elf
import wheels
from common import (
    BUILD,
    DIST,
    MACHINES,
    Machine,
    PackageError,
    environment,
    epoch,
    exit_with,
    export,
    need,
    run,
    say,
    unpack,
    version,
)

PACKAGES = ("sdist", *(f"wheel-{name}" for name in wheels.WHEELS), *(f"native-{name}" for name in MACHINES))
LARGEST_TOOL = {"aarch64": 1_500_000}  # bytes of the static tool, where boards are small
SUMS = "SHA256SUMS"


def write_archive(folder: Path, archive: Path) -> None:
    """Packs a folder under the archive's name: sorted, dated by the last commit, owned by root."""
    top = archive.name.removesuffix(".tar.gz")
    when = epoch()

    def normal(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.mtime = when
        entry.uid = entry.gid = 0
        entry.uname = entry.gname = "root"
        runnable = entry.isdir() or entry.mode & stat.S_IXUSR
        entry.mode = 0o777 if entry.issym() else 0o755 if runnable else 0o644
        return entry

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path in [folder, *sorted(folder.rglob("*"))]:
            tar.add(path, str(Path(top) / path.relative_to(folder)), recursive=False, filter=normal)
    with archive.open("wb") as file, gzip.GzipFile("", "wb", 9, file, mtime=0) as compressed:
        compressed.write(packed.getvalue())


def elf_files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink() and elf.is_elf(path.read_bytes()[:4]):
            yield path


def check_tree(folder: Path, machine: Machine, secret: Sequence[Path]) -> None:
    """Every compiled file is for the machine and its page size; no file of any kind names a build folder."""
    files = list(elf_files(folder))
    if not files:
        raise PackageError(f"{folder} holds no compiled file")
    for file in files:
        elf.check_machine(file, machine)
    for file in folder.rglob("*"):
        if file.is_file() and (named := [path for path in secret if str(path).encode() in file.read_bytes()]):
            raise PackageError(f"{file.relative_to(folder)} holds the name of the build folder {named[0]}")


def build_native(machine: Machine, source: Path, objects: Path, destination: Path) -> list[Path]:
    """The install tree and the static tool of one machine."""
    machine.tool("g++")
    cmake = need("cmake", "cmake")
    tree = objects / "tree"
    configure: list[str | Path] = [cmake, "-S", source, "-B", objects, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"]
    configure += ["-DMBRT_TOOLS=ON", "-DMBRT_STATIC=ON", "-DCMAKE_INSTALL_PREFIX=/usr/local"]
    # An rpath into the build folder would be blanked on installing, and leave its length behind.
    configure += ["-DCMAKE_INSTALL_LIBDIR=lib", "-DCMAKE_BUILD_WITH_INSTALL_RPATH=ON"]
    if machine.toolchain:
        configure += ["--toolchain", source / "cmake/toolchains" / machine.toolchain]
    env = environment(source, objects)
    run(configure, env=env)
    run((cmake, "--build", objects), env=env)
    run((cmake, "--install", objects, "--strip", "--prefix", tree), env=env)
    say(baseline.check(machine, [objects]))

    name = f"linux-{machine.name}"
    library = destination / f"mobilebert_rt-{version(source)}-{name}.tar.gz"
    tool = destination / f"mbrt-{version(source)}-{name}-static.tar.gz"
    check_tree(tree, machine, (source, objects))
    mbrt = tree / "bin/mbrt"
    if elf.needed_libraries(mbrt) or "INTERP" in elf.readelf(mbrt, "-l"):
        raise PackageError(f"{mbrt} needs libraries of the system: it was not linked with -static")
    size, most = mbrt.stat().st_size, LARGEST_TOOL.get(machine.name)
    say(f"{machine.name}: static mbrt of {size:,} bytes")
    if most is not None and size > most:
        raise PackageError(f"{mbrt} has {size:,} bytes, more than {most:,}")
    shutil.copy(source / "LICENSE", tree)
    write_archive(tree, library)
    with TemporaryDirectory() as alone:
        for file in (mbrt, source / "LICENSE", source / "docs/native.md"):
            shutil.copy(file, alone)
        write_archive(Path(alone), tool)
    return [library, tool]


def build_sdist(source: Path, destination: Path) -> Path:
    """The Python source package, by the build backend itself."""
    code = "import sys; from scikit_build_core.build import build_sdist; print(build_sdist(sys.argv[1]))"
    out = run((sys.executable, "-c", code, destination), env=environment(source, source / "build"), cwd=source)
    return destination / out.splitlines()[-1]


def build(package: str, source: Path, objects: Path, destination: Path) -> list[Path]:
    """Builds one package from nothing; its files."""
    kind, _, name = package.partition("-")
    objects = objects / package
    shutil.rmtree(objects, ignore_errors=True)
    if kind == "sdist":
        return [build_sdist(source, destination)]
    if kind == "wheel":
        unpacked = source.parent / "sdist"
        shutil.rmtree(unpacked, ignore_errors=True)
        unpack(build_sdist(source, source.parent), unpacked)
        (inside,) = unpacked.iterdir()
        return [wheels.build(MACHINES[name], inside, objects, destination)]
    return build_native(MACHINES[name], source, objects, destination)


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def build_all(packages: Sequence[str], work: Path, destination: Path) -> dict[str, str]:
    """Builds the packages from a fresh copy of the last commit; the digest of every file by its name."""
    destination.mkdir(parents=True, exist_ok=True)
    source = export(work / "source")
    digests = {}
    for package in packages:
        began = time.monotonic()
        for file in build(package, source, work / "objects", destination):
            digests[file.name] = digest(file)
            say(f"{file.name}  {file.stat().st_size:,} bytes, {time.monotonic() - began:.0f} s")
    return digests


def differing(first: dict[str, str], second: dict[str, str]) -> list[str]:
    """The names whose digests differ, or that only one build has."""
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Exit codes: 0 built (and equal), 1 failed, 69 this machine lacks a tool.",
    )
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help=f"{', '.join(PACKAGES)} (all)")
    parser.add_argument("--check", action="store_true", help="build twice, compare, and leave nothing behind")
    parser.add_argument("--destination", type=Path, default=DIST, help="folder for the packages (dist)")
    arguments = parser.parse_args()
    if unknown := set(arguments.packages) - set(PACKAGES):
        parser.error(f"there is no package {', '.join(sorted(unknown))}")
    packages = arguments.packages or PACKAGES
    if arguments.check:
        with TemporaryDirectory(prefix="mbrt-") as first, TemporaryDirectory(prefix="mbrt-second-build-") as second:
            once, again = (build_all(packages, Path(folder), Path(folder) / "dist") for folder in (first, second))
        if wrong := differing(once, again):
            raise PackageError(f"two builds differ in {', '.join(wrong)}")
        say(f"two builds of {len(once)} files: identical bytes")
        return 0
    destination = arguments.destination.absolute()
    digests = build_all(packages, BUILD / "dist", destination)
    if not arguments.packages:
        lines = [f"{digests[name]}  {name}\n" for name in sorted(digests)]
        (destination / SUMS).write_text("".join(lines))
        say(f"{destination / SUMS}: {len(lines)} files")
    return 0


if __name__ == "__main__":
    exit_with(main)
