"""The WebAssembly modules, built once, and Node to run them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.common import missing_tool

REPOSITORY = Path(__file__).parents[2]
BUILD = REPOSITORY / "build/wasm"
RELAXED = "--experimental-wasm-relaxed-simd"  # Node 20 has relaxed SIMD behind this flag; Node 24 does not know it
NO_FMA = "--no-enable-fma3"  # V8's relaxed_madd then rounds twice


@pytest.fixture(scope="session")
def modules() -> Path:
    """The folder of the modules."""
    message = missing_tool("clang++-19", "wasm-ld-19", "cmake", "ninja", "node")
    if message:
        pytest.skip(message)
    for command in (("cmake", "--preset", "wasm"), ("cmake", "--build", "--preset", "wasm", "--parallel", "2")):
        done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return BUILD


@pytest.fixture(scope="session")
def node(modules: Path) -> Callable[..., str]:
    """Runs a script of this folder on a module; returns what it prints."""
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout

    def run(script: str, module: str, *arguments: Any, flags: tuple[str, ...] = (RELAXED,)) -> str:
        known = [flag for flag in flags if flag != RELAXED or version.startswith("v20.")]
        command = ["node", *known, Path(__file__).with_name(script), modules / module, *map(str, arguments)]
        environment = {**os.environ, "NODE_NO_WARNINGS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()

    return run
