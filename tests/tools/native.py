"""The native `mbrt`, built for each architecture; QEMU runs those of other architectures."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.capi import trees
from tests.capi.trees import TARGETS

SECONDS = 120  # limit of one command, far more than any takes


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
    """Builds the tool, or what changed of it. Skips the test where a compiler or emulator is missing."""
    path = trees.build(target, "mbrt_tool") / "csrc/tools/mbrt"
    return Tool(target, path, tuple(filter(None, (TARGETS[target].emulator, str(path)))))
