"""tests/with_modules.py: a test of ctest whose Python modules are missing is skipped, and says why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parents[1] / "with_modules.py"


def run(modules: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(PROGRAM), modules, "--", sys.executable, "-c", "print('ran'); raise SystemExit(3)"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_command_runs_when_its_modules_are_there() -> None:
    done = run("json,numpy")
    assert (done.returncode, done.stdout) == (3, "ran\n")


def test_missing_modules_are_named() -> None:
    done = run("json,no_such_module,neither_this")
    assert done.returncode == 77
    assert "SKIPPED: " in done.stdout
    assert "no_such_module, neither_this" in done.stdout
