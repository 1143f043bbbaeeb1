"""Fresh Python processes that import the package under test."""

from __future__ import annotations

import os
import subprocess
import sys

SECONDS = 120


def command(*arguments: str) -> list[str]:
    """The command line of this interpreter with `arguments`."""
    return [sys.executable, *arguments]


def environment(**changes: str | None) -> dict[str, str]:
    """This process's environment with `changes`; None removes a variable."""
    return {name: value for name, value in (os.environ | changes).items() if value is not None}


def run(code: str, *arguments: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """The result of `code` in a fresh interpreter; `changes` as for `environment`."""
    return subprocess.run(
        command("-c", code, *arguments),
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
