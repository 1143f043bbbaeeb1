"""Builds a wheel, natively or for aarch64, and gives it the manylinux tag that its files allow."""

from __future__ import annotations

import os
import shutil
import sys
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from scripts.arm import sysroot
from scripts.common import REPOSITORY, ScriptError, UnavailableError, run
from scripts.packages import elf
from scripts.packages.machines import Machine, environment, epoch

LARGEST = 2_000_000  # bytes of a wheel without its models
# The aarch64 wheel is built by this machine's Python for the Python of the emulated system, which never runs.
CROSS_PYTHON = (3, 11)
CROSS_SUFFIX = ".cpython-311-aarch64-linux-gnu.so"


def cross_settings(machine: Machine, env: dict[str, str]) -> list[str]:
    """Build settings of a cross-built wheel; adds the target's names to the environment."""
    machine.tool("g++")
    if sys.version_info[:2] != CROSS_PYTHON:
        raise UnavailableError(
            f"Python is {sys.version.split()[0]}; the aarch64 wheel is built with python3.11, the emulated version"
        )
    env["_PYTHON_HOST_PLATFORM"] = f"linux-{machine.name}"  # in the wheel's tag
    env["SETUPTOOLS_EXT_SUFFIX"] = CROSS_SUFFIX
    return [
        f"cmake.toolchain-file={REPOSITORY / 'cmake/toolchains' / str(machine.toolchain)}",
        f"cmake.define.Python_INCLUDE_DIR={sysroot.ensure() / 'usr/include/python3.11'}",
        # Otherwise pybind11 runs the target's Python to ask for the suffix.
        "cmake.define.PYBIND11_USE_CROSSCOMPILING=ON",
        "cmake.define.MBRT_STATIC=ON",  # the tests build and emulate the tool in the same folder
    ]


def check(wheel: Path, machine: Machine) -> None:
    """The compiled files must be for the machine; the wheel, without models, at most LARGEST bytes."""
    with zipfile.ZipFile(wheel) as archive, TemporaryDirectory() as folder:
        models = sum(file.compress_size for file in archive.infolist() if file.filename.endswith(".safetensors"))
        files = [Path(archive.extract(name, folder)) for name in archive.namelist() if name.endswith(".so")]
        if not files:
            raise ScriptError(f"{wheel.name}: holds no compiled file")
        for file in files:
            elf.check_machine(file, machine)
            if machine.prefix and not file.name.endswith(CROSS_SUFFIX):
                raise ScriptError(f"{wheel.name}: holds {file.name}; expected the suffix {CROSS_SUFFIX}")
    size = wheel.stat().st_size - models
    if size > LARGEST:
        raise ScriptError(f"{wheel.name}: {size:,} bytes without models; at most {LARGEST:,} are allowed")


def retag(wheel: Path, destination: Path) -> Path:
    """The wheel with its manylinux tag, in the destination."""
    tags = (sys.executable, "-m", "wheel", "tags", "--remove", "--platform-tag", elf.platform_tag(wheel), wheel)
    name = run(tags, env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch())}).splitlines()[-1]
    destination.mkdir(parents=True, exist_ok=True)
    return Path(shutil.move(wheel.with_name(name), destination / name))


def build(machine: Machine, source: Path, objects: Path, destination: Path) -> Path:
    """Builds, checks and tags one wheel. Objects are kept: the next build compiles what has changed."""
    if not machine.prefix and os.uname().machine != machine.name:
        raise UnavailableError(f"the {machine.name} wheel is built on {machine.name}; this is {os.uname().machine}")
    env = environment(source, objects)
    settings = [f"build-dir={objects}", *(cross_settings(machine, env) if machine.prefix else [])]
    command = [sys.executable, "-m", "pip", "wheel", str(source), "--no-deps", "--no-build-isolation"]
    with TemporaryDirectory() as folder:
        options = [f"--config-settings={setting}" for setting in settings]
        run([*command, "--wheel-dir", folder, *options], env=env)
        (wheel,) = Path(folder).glob(f"*linux_{machine.name}.whl")
        check(wheel, machine)
        return retag(wheel, destination)
