"""scripts/arm on a machine without tools; needs neither QEMU nor a network."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from scripts.arm.run_suite import EVERYTHING
from scripts.arm.sysroot import TRIAL
from scripts.common import EXIT_UNAVAILABLE, REPOSITORY


def run_sysroot(cache: Path) -> subprocess.CompletedProcess[str]:
    """Runs sysroot.py with an empty PATH, without any tool."""
    env = {**os.environ, "PATH": "", "MBRT_CACHE": str(cache)}
    return subprocess.run(
        [sys.executable, "-m", "scripts.arm.sysroot"],
        env=env,
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


def test_missing_tool_is_named_with_its_package_and_exit_code(tmp_path: Path) -> None:
    done = run_sysroot(tmp_path)
    assert done.returncode == EXIT_UNAVAILABLE
    assert "qemu-aarch64 is not installed" in done.stderr
    assert "apt-get install qemu-user" in done.stderr
    assert not (tmp_path / "aarch64-sysroot").exists()


def test_cache_inside_the_source_tree_is_rejected() -> None:
    done = run_sysroot(REPOSITORY / "cache")
    assert done.returncode == 1
    assert "Set MBRT_CACHE to a folder outside it" in done.stderr
    assert not (REPOSITORY / "cache").exists()


def test_emulated_tests_import_what_the_sysroot_lacks_with_import_on_host() -> None:
    """`pytest.importorskip` skips under emulation without the prefix that permits the skip."""
    present = re.search("^import (numpy.*)$", TRIAL, re.MULTILINE)
    assert present is not None
    permitted = present[1].split(", ")
    files = [file for name in EVERYTHING for file in (REPOSITORY / name).rglob("test_*.py")]
    assert len(files) > 40
    for file in files:
        for package in re.findall(r"importorskip\(\"(?!tests\.)(\w+)", file.read_text()):
            assert package in permitted, f"{file}: {package} is not in the sysroot; use tests.emulation.import_on_host"
