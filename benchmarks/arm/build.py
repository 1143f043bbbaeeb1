"""Building what is measured: a small program with the engine, the counting plugin, and a random model."""

from __future__ import annotations

import tempfile
from pathlib import Path

from benchmarks.common import configs, random_weights
from mobilebert_rt import convert
from scripts.common import AARCH64, BUILD, REPOSITORY, find_tool, run

HERE = Path(__file__).resolve().parent
FOLDER = BUILD / "arm_cycles"


def compiler() -> str:
    """The cross compiler and its version, on which instruction counts depend."""
    return run([find_tool("aarch64-linux-gnu-g++"), "--version"]).splitlines()[0]


def build_program() -> Path:
    """Cross-compile infer in the build folder of the aarch64 wheel; compiles what has changed."""
    find_tool("aarch64-linux-gnu-g++")
    if not (AARCH64 / "build.ninja").is_file():
        run([find_tool("cmake"), "--preset", "aarch64-linux-gnu", "-S", REPOSITORY, "-B", AARCH64])
    run([find_tool("cmake"), "--build", AARCH64, "--target", "infer"])
    return AARCH64 / "benchmarks/arm/infer"


def build_plugin(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    plugin = folder / "libblock_counts.so"
    flags = ["-O2", "-Wall", "-Wextra", "-fPIC", "-shared", "-fvisibility=hidden"]
    run([find_tool("cc"), *flags, "-o", plugin, HERE / "block_counts.c"])
    return plugin


def write_model(folder: Path) -> Path:
    """Write a random int8 MobileBERT of the published sizes with a small vocabulary, of which a text reads few rows.

    Always rewritten, with the current converter.
    """
    model = folder / "mobilebert-int8.safetensors"
    with tempfile.TemporaryDirectory() as scratch:
        convert(
            random_weights.write(Path(scratch) / "mobilebert", configs.mobilebert(vocab_size=1000)), model, force=True
        )
    return model
