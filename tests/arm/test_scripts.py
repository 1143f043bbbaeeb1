"""How scripts/arm behave on a machine that lacks something; needs neither qemu nor a network."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SYSROOT = REPOSITORY / "scripts/arm/sysroot.py"
UNAVAILABLE = 69

pytestmark = pytest.mark.skipif(not SYSROOT.exists(), reason="the scripts stay behind where they run tests")


def run_sysroot(cache: Path) -> subprocess.CompletedProcess[str]:
    """Runs sysroot.py with an empty search path, so that it finds no tool."""
    env = {**os.environ, "PATH": "", "MBRT_CACHE": str(cache)}
    return subprocess.run([sys.executable, SYSROOT], env=env, capture_output=True, text=True, check=False)


def test_a_missing_tool_is_named_with_its_package_and_an_exit_code_of_its_own(tmp_path: Path) -> None:
    done = run_sysroot(tmp_path)
    assert done.returncode == UNAVAILABLE
    assert "qemu-aarch64 is not installed" in done.stderr
    assert "apt-get install qemu-user" in done.stderr
    assert not (tmp_path / "aarch64-sysroot").exists()


def test_a_cache_inside_the_source_tree_is_refused() -> None:
    done = run_sysroot(REPOSITORY / "cache")
    assert done.returncode == 1
    assert "set MBRT_CACHE to a folder outside it" in done.stderr
    assert not (REPOSITORY / "cache").exists()
