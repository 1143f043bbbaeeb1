"""What is measured: the engine cross-compiled into a small program, the plugin that counts, and a random model."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.arm.tools import HarnessError, find, output

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
TOOLCHAIN = REPOSITORY / "cmake/toolchains/aarch64-linux-gnu.cmake"
FOLDER = REPOSITORY / "build/arm_cycles"


@dataclass(frozen=True)
class Built:
    program: Path
    model: Path


def is_arm() -> bool:
    return platform.machine() in ("aarch64", "arm64")


def compiler() -> str:
    """The cross compiler and its version, which instruction counts belong to."""
    return output([find("aarch64-linux-gnu-g++"), "--version"]).splitlines()[0]


def build_program(folder: Path, cross: bool) -> Path:
    """Compiles infer and the engine under it; what is up to date is left as it is."""
    build = folder / ("cross" if cross else "native")
    configure: list[str | Path] = [find("cmake"), "-S", HERE, "-B", build]
    if cross:
        find("aarch64-linux-gnu-g++")
        configure.append(f"-DCMAKE_TOOLCHAIN_FILE={TOOLCHAIN}")
    output(configure)
    jobs = str(len(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else "1"
    output([find("cmake"), "--build", build, "--target", "infer", "--parallel", jobs])
    return build / "infer"


def build_plugin(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    plugin = folder / "libblock_counts.so"
    flags = ["-O2", "-Wall", "-Wextra", "-fPIC", "-shared", "-fvisibility=hidden"]
    output([find("cc"), *flags, "-o", plugin, HERE / "block_counts.c"])
    return plugin


def write_model(folder: Path) -> Path:
    """A random int8 MobileBERT; written anew each time, so that it is what the present converter makes."""
    model = folder / "mobilebert-int8.safetensors"
    try:
        output([sys.executable, HERE / "write_model.py", model], cwd=Path(os.sep))
    except HarnessError as error:
        raise HarnessError(
            f"{error}\nThe model is written with the installed package: `pip install .`, or give one with --model FILE"
        ) from error
    return model


def build(folder: Path, model: Path | None, cross: bool) -> Built:
    program = build_program(folder, cross)
    return Built(program, model or write_model(folder))
