"""Building what is measured: a small program with the engine, the counting plugin, and a random model."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from scripts.common import BUILD, REPOSITORY, ScriptError, find_tool, run

HERE = Path(__file__).resolve().parent
TOOLCHAIN = REPOSITORY / "cmake/toolchains/aarch64-linux-gnu.cmake"
FOLDER = BUILD / "arm_cycles"


@dataclass(frozen=True)
class Built:
    program: Path
    model: Path


def compiler() -> str:
    """The cross compiler and its version, on which instruction counts depend."""
    return run([find_tool("aarch64-linux-gnu-g++"), "--version"]).splitlines()[0]


def build_program(folder: Path) -> Path:
    """Cross-compile infer with the engine; files that are up to date are not compiled again."""
    find_tool("aarch64-linux-gnu-g++")
    run([find_tool("cmake"), "-S", HERE, "-B", folder / "cross", f"-DCMAKE_TOOLCHAIN_FILE={TOOLCHAIN}"])
    jobs = str(len(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else "1"
    run([find_tool("cmake"), "--build", folder / "cross", "--target", "infer", "--parallel", jobs])
    return folder / "cross" / "infer"


def build_plugin(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    plugin = folder / "libblock_counts.so"
    flags = ["-O2", "-Wall", "-Wextra", "-fPIC", "-shared", "-fvisibility=hidden"]
    run([find_tool("cc"), *flags, "-o", plugin, HERE / "block_counts.c"])
    return plugin


WRITE_MODEL = """
import sys
sys.path.append(sys.argv[1])  # behind the installed package: the tree's mobilebert_rt may have no compiled engine
from pathlib import Path
from benchmarks.common import configs, random_weights
from mobilebert_rt import convert
folder = random_weights.write(Path(sys.argv[2]) / "mobilebert", configs.mobilebert(vocab_size=1000))
convert(folder, sys.argv[3], force=True)
"""


def write_model(folder: Path) -> Path:
    """Write a random int8 MobileBERT of the published sizes with a small vocabulary, of which a text reads few rows.

    Always rewritten, with the current converter, by a new process that imports the installed package.
    """
    model = folder / "mobilebert-int8.safetensors"
    with tempfile.TemporaryDirectory() as scratch:
        try:
            run([sys.executable, "-c", WRITE_MODEL, REPOSITORY, scratch, model], cwd=Path(scratch))
        except ScriptError as error:
            raise ScriptError(
                f"{error}\nInstall the package (`pip install .`), or give a model: --model FILE"
            ) from error
    return model


def build(folder: Path, model: Path | None) -> Built:
    program = build_program(folder)
    return Built(program, model or write_model(folder))
