"""Fresh Python processes that import the package under test, wherever the tests were started from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import mobilebert_rt

SECONDS = 120


def command(*arguments: str) -> list[str]:
    """The command line of this interpreter with `arguments`."""
    return [sys.executable, *arguments]


def surroundings(**changes: str | None) -> dict[str, Any]:
    """`cwd` and `env` for subprocess: this environment with `changes` (None removes a variable).

    A fresh interpreter looks for modules in its working directory first. In the source tree it would find a package
    without an engine, so it starts in a folder that has none, and this package's own folder leads its path.
    """
    package = str(Path(mobilebert_rt.__file__).parents[1])
    paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
    env = os.environ | {"PYTHONPATH": os.pathsep.join(paths)} | changes
    return {"cwd": os.sep, "env": {name: value for name, value in env.items() if value is not None}}


def run(code: str, *arguments: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """What a fresh interpreter did with `code`; `changes` as for `surroundings`."""
    return subprocess.run(
        command("-c", code, *arguments),
        **surroundings(**changes),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
