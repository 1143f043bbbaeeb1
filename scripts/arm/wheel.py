"""Cross-builds the project's aarch64 wheel: Debian's cross compiler, the emulated Python's headers.

The build machine's Python 3.11 runs the build; nothing is emulated. The wheel lands in dist, the objects stay
in build/aarch64/cmake, so that the next build compiles only what has changed.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
import zipfile
from pathlib import Path

import sysroot
from emulation import BUILD, DIST, REPOSITORY, UnavailableError, exit_with, need, run, say

TOOLCHAIN = REPOSITORY / "cmake/toolchains/aarch64-linux-gnu.cmake"
EXTENSION = ".cpython-311-aarch64-linux-gnu.so"
PATTERN = "*-cp311-cp311-*linux_*aarch64.whl"  # as built here, and as scripts/packages/wheels.py tags it
ELF_AARCH64 = 183  # e_machine, at byte 18 of an ELF file


def newest(folder: Path = DIST) -> Path:
    """The aarch64 wheel that was built last."""
    wheels = list(folder.glob(PATTERN))
    if not wheels:
        raise SystemExit(f"there is no {PATTERN} in {folder}: build it with scripts/packages/wheels.py")
    return max(wheels, key=lambda wheel: wheel.stat().st_mtime)


def check(wheel: Path) -> None:
    """The wheel must hold an extension module that is named and compiled for the emulated Python."""
    with zipfile.ZipFile(wheel) as archive:
        extensions = [name for name in archive.namelist() if name.endswith(".so")]
        for name in extensions:
            machine = int.from_bytes(archive.read(name)[18:20], "little")
            if not name.endswith(EXTENSION) or machine != ELF_AARCH64:
                raise SystemExit(f"{wheel.name}: {name} is not an aarch64 module (ELF machine {machine})")
    if not extensions:
        raise SystemExit(f"{wheel.name}: holds no extension module")


def build(root: Path, project: Path, destination: Path, objects: Path) -> Path:
    """Builds and checks the wheel of a project against the sysroot's Python."""
    need("aarch64-linux-gnu-g++", "g++-aarch64-linux-gnu", "no aarch64 wheel is built")
    if sys.version_info[:2] != (3, 11):
        raise UnavailableError(
            f"a build gives its wheel its own Python version, here {sys.version.split()[0]}, so no aarch64 "
            "wheel is built. Run it with the version that is emulated: python3.11"
        )
    defines = {
        "Python_INCLUDE_DIR": root / "usr/include/python3.11",
        # Else pybind11 starts Python through the toolchain's emulator, to ask it for the suffix.
        "PYBIND11_USE_CROSSCOMPILING": "ON",
    }
    settings = [f"build-dir={objects}", f"cmake.toolchain-file={TOOLCHAIN}"]
    settings += [f"cmake.define.{name}={value}" for name, value in defines.items()]
    command = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        str(project),
        "--no-deps",
        "--wheel-dir",
        str(destination),
    ]
    if importlib.util.find_spec("scikit_build_core") and importlib.util.find_spec("pybind11"):
        command.append("--no-build-isolation")
    command += [f"--config-settings={setting}" for setting in settings]
    # The first names the platform in the wheel's tag, the second the extension module's suffix.
    target = {"_PYTHON_HOST_PLATFORM": "linux-aarch64", "SETUPTOOLS_EXT_SUFFIX": EXTENSION}
    say(f"building the aarch64 wheel of {project}")
    run(command, env={**os.environ, **target})
    wheel = newest(destination)
    check(wheel)
    return wheel


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--project", type=Path, default=REPOSITORY, help="folder of pyproject.toml (this repository)")
    parser.add_argument("--destination", type=Path, default=DIST, help="folder for the wheel (dist)")
    parser.add_argument("--objects", type=Path, default=BUILD / "cmake", help="CMake's folder (build/aarch64/cmake)")
    arguments = parser.parse_args()
    root = sysroot.ensure()
    project, destination, objects = (path.absolute() for path in vars(arguments).values())
    say(str(build(root, project, destination, objects)))
    return 0


if __name__ == "__main__":
    exit_with(main)
