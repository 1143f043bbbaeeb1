"""Builds packages into dist, with their SHA-256 sums: the same bytes wherever and whenever.

    sdist                                   the Python source package
    wheel-x86_64, wheel-aarch64             from the source package, for glibc 2.28 or later: one wheel for each CPython
    wheel-x86_64-musl, wheel-aarch64-musl   the same for musl
    native-x86_64, native-aarch64, native-armhf
                                            two archives each: the install tree (headers, libraries, CMake and
                                            pkg-config files, mbrt) and the static mbrt alone

The last commit is packed, compiled from nothing. Every compiled file is checked for its machine, page size and build
paths, and by disassembly against the baseline (baseline.py).

--python names a CPython to build wheels for (repeatable; default: all that interpreters.py finds).
--check builds everything twice, in folders of different names; the two must be equal byte for byte.
--working-tree builds the wheel of the emulated ARM system alone, by Debian's compiler, from the files as they are, and
compiles only what has changed in build/packages.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.common import BUILD, DIST, ScriptError, exit_with, find_tool, make_parser, run, say
from scripts.packages import baseline, elf, interpreters, wheels
from scripts.packages.interpreters import Interpreter
from scripts.packages.machines import MACHINES, Machine, environment, epoch, export, version

PACKAGES = ("sdist", *wheels.TARGETS, *(f"native-{name}" for name in MACHINES))
LARGEST_TOOL = {"aarch64": 1_500_000}  # bytes of the static tool
SUMS = "SHA256SUMS"
OBJECTS = BUILD / "packages"


def write_archive(folder: Path, archive: Path) -> None:
    """Packs a folder under the archive's name: sorted, dated by the last commit, owned by root."""
    options = ["--format=gnu", "--sort=name", f"--mtime=@{epoch()}", "--owner=root:0", "--group=root:0"]
    options += ["--mode=u=rwX,go=rX", f"--transform=flags=r;s,^[.],{archive.name.removesuffix('.tar.gz')},"]
    run(("tar", "--create", "--use-compress-program=gzip -9n", *options, "--file", archive, "--directory", folder, "."))


def check_tree(folder: Path, machine: Machine, secret: Sequence[Path]) -> None:
    """Compiled files are for the machine and its page size; no file holds the name of a build folder."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    compiled = [file for file in files if elf.is_elf(file)]
    if not compiled:
        raise ScriptError(f"{folder}: holds no compiled file")
    for file in compiled:
        elf.check_machine(file, machine)
    for file in files:
        if named := [path for path in secret if str(path).encode() in file.read_bytes()]:
            raise ScriptError(f"{file.relative_to(folder)}: holds the name of the build folder {named[0]}")


def build_native(machine: Machine, source: Path, objects: Path, destination: Path) -> list[Path]:
    """The install tree and the static tool of one machine."""
    machine.tool("g++")
    cmake = find_tool("cmake")
    tree = objects / "tree"
    configure: list[str | Path] = [cmake, "-S", source, "-B", objects, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release"]
    configure += ["-DMBRT_TOOLS=ON", "-DMBRT_STATIC=ON", "-DCMAKE_INSTALL_PREFIX=/usr/local"]
    # An rpath into the build folder would leave its length in the installed file.
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
    if not elf.is_static(mbrt):
        raise ScriptError(f"{mbrt}: needs shared libraries; expected a static program")
    size = mbrt.stat().st_size
    say(f"{machine.name}: static mbrt of {size:,} bytes")
    if size > LARGEST_TOOL.get(machine.name, size):
        raise ScriptError(f"{mbrt}: {size:,} bytes; at most {LARGEST_TOOL[machine.name]:,} are allowed")
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


def build_wheels(
    package: str, pythons: Sequence[Interpreter], source: Path, objects: Path, destination: Path
) -> list[Path]:
    """The wheels of one target, from the source package."""
    unpacked = source.parent / "sdist"
    shutil.rmtree(unpacked, ignore_errors=True)
    shutil.unpack_archive(build_sdist(source, source.parent), unpacked)
    (inside,) = unpacked.iterdir()
    target = wheels.TARGETS[package]
    built = [wheels.build(target, python, inside, objects, destination) for python in pythons]
    say(baseline.check(target.machine, [objects]))
    return built


def build(package: str, pythons: Sequence[Interpreter], source: Path, objects: Path, destination: Path) -> list[Path]:
    """Builds one package from nothing; its files."""
    objects = objects / package
    shutil.rmtree(objects, ignore_errors=True)
    if package == "sdist":
        return [build_sdist(source, destination)]
    if package in wheels.TARGETS:
        return build_wheels(package, pythons, source, objects, destination)
    return build_native(MACHINES[package.removeprefix("native-")], source, objects, destination)


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def build_all(packages: Sequence[str], work: Path, destination: Path, programs: Sequence[Path] = ()) -> dict[str, str]:
    """Builds the packages from a fresh copy of the last commit; the digest of every file by its name."""
    destination.mkdir(parents=True, exist_ok=True)
    pythons = interpreters.find(programs) if set(packages) & set(wheels.TARGETS) else []
    source = export(work / "source")
    digests = {}
    for package in packages:
        began = time.monotonic()
        for file in build(package, pythons, source, work / "objects", destination):
            digests[file.name] = digest(file)
            say(f"{file.name}  {file.stat().st_size:,} bytes, {time.monotonic() - began:.0f} s")
    return digests


def differing(first: dict[str, str], second: dict[str, str]) -> list[str]:
    """The names whose digests differ, or that only one build has."""
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))


def check_twice(packages: Sequence[str], programs: Sequence[Path]) -> None:
    with TemporaryDirectory(prefix="mbrt-") as first, TemporaryDirectory(prefix="mbrt-second-build-") as second:
        folders = (Path(first), Path(second))
        once, again = (build_all(packages, folder, folder / "dist", programs) for folder in folders)
    if wrong := differing(once, again):
        raise ScriptError(f"two builds differ in {', '.join(wrong)}")
    say(f"two builds of {len(once)} files: identical bytes")


def main() -> int:
    parser = make_parser(__doc__, epilog="Exit codes: 0 built (and equal), 1 failed, 69 this machine lacks a tool.")
    parser.add_argument("packages", nargs="*", metavar="PACKAGE", help=f"{', '.join(PACKAGES)} (default: all)")
    parser.add_argument("--check", action="store_true", help="build twice and compare; leaves nothing behind")
    parser.add_argument("--working-tree", action="store_true", help="the wheel of the emulated system, incrementally")
    parser.add_argument("--python", action="append", type=Path, default=[], help="a CPython to build wheels for")
    arguments = parser.parse_args()
    if unknown := set(arguments.packages) - set(PACKAGES):
        parser.error(f"unknown package {', '.join(sorted(unknown))}; expected {', '.join(PACKAGES)}")
    packages = arguments.packages or PACKAGES
    if arguments.check:
        check_twice(packages, arguments.python)
    elif arguments.working_tree:
        if arguments.packages:
            parser.error("--working-tree builds one wheel; name no package")
        say(str(wheels.build_emulated(DIST)))
    else:
        digests = build_all(packages, OBJECTS / "dist", DIST, arguments.python)
        if not arguments.packages:
            (DIST / SUMS).write_text("".join(f"{digests[name]}  {name}\n" for name in sorted(digests)))
            say(f"{DIST / SUMS}: {len(digests)} files")
    return 0


if __name__ == "__main__":
    exit_with(main)
