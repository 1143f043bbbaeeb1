"""Builds wheels: for each machine, C library and CPython, all cross-built, with the tag that their files allow.

The C++ code is compiled by zig's clang, for glibc 2.28 or musl, and holds its C++ library: one object folder for each
target, in which another CPython compiles the bindings again and nothing else.
"""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.arm import sysroot
from scripts.common import BUILD, REPOSITORY, ScriptError, find_tool, run
from scripts.packages import elf
from scripts.packages.interpreters import Interpreter
from scripts.packages.machines import MACHINES, Machine, environment, epoch

LARGEST = 2_000_000  # bytes of a wheel without its models


@dataclass(frozen=True)
class Target:
    """What a wheel is built for."""

    machine: Machine
    libc: str  # gnu or musl
    toolchain: str  # file in cmake/toolchains
    tools: tuple[str, ...] = ("python-zig", "llvm-ar-19")

    @property
    def triplet(self) -> str:
        return f"{self.machine.name}-linux-{self.libc}"


TARGETS: Mapping[str, Target] = {
    "wheel-x86_64": Target(MACHINES["x86_64"], "gnu", "x86_64-linux-manylinux.cmake"),
    "wheel-aarch64": Target(MACHINES["aarch64"], "gnu", "aarch64-linux-manylinux.cmake"),
    "wheel-x86_64-musl": Target(MACHINES["x86_64"], "musl", "x86_64-linux-musl.cmake"),
    "wheel-aarch64-musl": Target(MACHINES["aarch64"], "musl", "aarch64-linux-musl.cmake"),
}
# Of the emulated system, by Debian's compiler: the objects are shared with the native tests for aarch64.
EMULATED = Target(MACHINES["aarch64"], "gnu", "aarch64-linux-gnu.cmake", ("aarch64-linux-gnu-g++",))


def emulated_python() -> Interpreter:
    """The CPython of the emulated system."""
    return Interpreter(11, free_threaded=False, include=sysroot.ensure() / "usr/include/python3.11")


def settings(target: Target, python: Interpreter, objects: Path) -> list[str]:
    """Settings of the build backend."""
    defines = {
        "Python_INCLUDE_DIR": python.headers(objects / "headers"),
        "PYBIND11_USE_CROSSCOMPILING": "ON",  # the Python that builds is not the one that will run
        "PYTHON_MODULE_EXTENSION": python.suffix(target.triplet),
        "PYTHON_MODULE_DEBUG_POSTFIX": "",
        "PYTHON_IS_DEBUG": "OFF",
        "MBRT_STATIC": "ON",  # the tests build and emulate the tool in the same folder
    }
    toolchain = REPOSITORY / "cmake/toolchains" / target.toolchain
    return [
        f"build-dir={objects}",
        f"cmake.toolchain-file={toolchain}",
        *(f"cmake.define.{name}={value}" for name, value in defines.items()),
    ]


def check(wheel: Path, target: Target, python: Interpreter) -> None:
    """The compiled files must be for the target; the wheel, without models, at most LARGEST bytes."""
    suffix = python.suffix(target.triplet)
    with zipfile.ZipFile(wheel) as archive, TemporaryDirectory() as folder:
        models = sum(file.compress_size for file in archive.infolist() if file.filename.endswith(".safetensors"))
        files = [Path(archive.extract(name, folder)) for name in archive.namelist() if name.endswith(".so")]
        if not files:
            raise ScriptError(f"{wheel.name}: holds no compiled file")
        for file in files:
            elf.check_machine(file, target.machine)
            if not file.name.endswith(suffix):
                raise ScriptError(f"{wheel.name}: holds {file.name}; expected the suffix {suffix}")
            if target.libc == "musl" and (others := elf.needed(file) - {"libc.so"}):
                raise ScriptError(f"{file.name}: needs {', '.join(sorted(others))}; a musl wheel needs libc.so alone")
    size = wheel.stat().st_size - models
    if size > LARGEST:
        raise ScriptError(f"{wheel.name}: {size:,} bytes without models; at most {LARGEST:,} are allowed")


def set_tags(wheel: Path, *, platform: str, python: str, abi: str) -> Path:
    """Renames a wheel to other tags."""
    tags = {"--python-tag": python, "--abi-tag": abi, "--platform-tag": platform}
    options = [word for option in tags.items() for word in option]
    command = [sys.executable, "-m", "wheel", "tags", "--remove", *options, str(wheel)]
    name = run(command, env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch())}).splitlines()[-1]
    return wheel.with_name(name)


def retag(wheel: Path, target: Target, python: Interpreter, destination: Path) -> Path:
    """The wheel with its final tags, in the destination."""
    # Any musl serves a file that needs libc.so alone, as check() has seen.
    platform = f"musllinux_1_2_{target.machine.name}" if target.libc == "musl" else elf.platform_tag(wheel)
    wheel = set_tags(wheel, platform=platform, python=python.python_tag, abi=python.abi_tag)
    destination.mkdir(parents=True, exist_ok=True)
    return Path(shutil.move(wheel, destination / wheel.name))


def build(target: Target, python: Interpreter, source: Path, objects: Path, destination: Path) -> Path:
    """Builds, checks and tags one wheel. Objects are kept: the next build compiles what has changed."""
    for tool in target.tools:
        find_tool(tool)
    env = environment(source, objects)
    env["_PYTHON_HOST_PLATFORM"] = f"linux-{target.machine.name}"  # in the wheel's tag
    command = [sys.executable, "-m", "pip", "wheel", str(source), "--no-deps", "--no-build-isolation"]
    with TemporaryDirectory() as folder:
        options = [f"--config-settings={setting}" for setting in settings(target, python, objects)]
        run([*command, "--wheel-dir", folder, *options], env=env)
        (wheel,) = Path(folder).glob(f"*linux_{target.machine.name}.whl")
        check(wheel, target, python)
        return retag(wheel, target, python, destination)


def build_emulated(destination: Path) -> Path:
    """The wheel of the emulated system, from the files as they are."""
    return build(EMULATED, emulated_python(), REPOSITORY, BUILD / "packages/wheel-aarch64", destination)
