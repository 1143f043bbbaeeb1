"""The native `mbrt`, built for each architecture; QEMU runs those of other architectures."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.capi.trees import BUILD, PATH, REPOSITORY, run

SECONDS = 120  # limit of one command, far more than any takes

# name: (CMake preset, compiler, emulator)
TARGETS = {
    "host": ("release", "c++", ""),
    "aarch64": ("aarch64-linux-gnu", "aarch64-linux-gnu-g++", "qemu-aarch64"),
    "armhf": ("armhf-linux-gnu", "arm-linux-gnueabihf-g++", "qemu-arm"),
}


@dataclass(frozen=True)
class Tool:
    """One static `mbrt`."""

    target: str
    path: Path
    command: tuple[str, ...]

    @property
    def tolerance(self) -> float:
        """Maximum difference of its numbers from the host's: 32-bit ARM flushes denormals to zero."""
        return 1e-4 if self.target == "armhf" else 0.0

    def run(
        self, *arguments: object, stdin: bytes = b"", environment: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*self.command, *(word if isinstance(word, bytes) else str(word) for word in arguments)],
            input=stdin,
            capture_output=True,
            check=False,
            timeout=SECONDS,
            env=os.environ | (environment or {}),
        )

    def json(self, *arguments: object, stdin: bytes = b"") -> list[Any]:
        """The JSON lines of a command that succeeds."""
        done = self.run(*arguments, "--json", stdin=stdin)
        assert (done.returncode, done.stderr) == (0, b""), done.stderr.decode()
        return [json.loads(line) for line in done.stdout.decode().split("\n")[:-1]]


def build(target: str) -> Tool:
    """Build the tool, or what changed of it. Skips the test where a compiler or emulator is missing."""
    preset, compiler, emulator = TARGETS[target]
    for program in ("cmake", "ninja", compiler, *([emulator] if emulator else [])):
        if shutil.which(program, path=PATH) is None:
            pytest.skip(f"{program} is not installed")
    # The folder of the preset: the libraries are compiled there already, only the tool is linked statically.
    folder = BUILD / preset
    run("cmake", "--preset", preset, "-S", REPOSITORY, "-B", folder, "-DMBRT_TOOLS=ON", "-DMBRT_STATIC=ON")
    run("cmake", "--build", folder, "--target", "mbrt_tool")
    path = folder / "csrc/tools/mbrt"
    return Tool(target, path, (emulator, str(path)) if emulator else (str(path),))
