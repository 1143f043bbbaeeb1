"""scripts/cross.sh and the CMake presets name each other; a missing tool skips a preset by name."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.common import EXIT_UNAVAILABLE, REPOSITORY

SCRIPT = REPOSITORY / "scripts/cross.sh"
PRESETS = json.loads((REPOSITORY / "CMakePresets.json").read_text("utf-8"))
ROWS = re.findall(r"^([\w-]+) +\| (\S+) +\| (.+)$", SCRIPT.read_text("utf-8"), re.MULTILINE)


def names(kind: str) -> set[str]:
    return {preset["name"] for preset in PRESETS[kind]}


def test_presets_of_the_script_can_be_built_and_those_that_run_tested() -> None:
    assert len(ROWS) == 9
    assert {name for name, _, _ in ROWS} <= names("configurePresets") & names("buildPresets")
    assert {name for name, runner, _ in ROWS if runner != "-"} <= names("testPresets")


def test_every_preset_has_its_toolchain_file() -> None:
    files = [preset["toolchainFile"] for preset in PRESETS["configurePresets"] if "toolchainFile" in preset]
    own = [file.removeprefix("${sourceDir}/") for file in files if file.startswith("${sourceDir}/")]
    assert len(own) >= 10
    assert [file for file in own if not (REPOSITORY / file).is_file()] == []


def test_cmake_reads_the_presets() -> None:
    if shutil.which("cmake") is None:
        pytest.skip("cmake is not installed")
    done = subprocess.run(("cmake", "--list-presets"), cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert all(f'"{name}"' in done.stdout for name, _, _ in ROWS)


@pytest.fixture
def path_without_compilers(tmp_path: Path) -> str:
    for tool in ("bash", "awk", "dirname", "grep"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    return str(tmp_path)


def test_missing_tools_are_named_and_the_exit_code_says_so(path_without_compilers: str) -> None:
    command = ("bash", SCRIPT, "x86_64-windows-zig", "aarch64-macos")
    done = subprocess.run(
        command, env={"PATH": path_without_compilers}, capture_output=True, text=True, check=False, cwd="/"
    )
    assert done.returncode == EXIT_UNAVAILABLE
    assert "SKIPPED: x86_64-windows-zig needs python-zig llvm-ar-19 wine\n" in done.stderr
    assert "SKIPPED: aarch64-macos needs python-zig llvm-ar-19 llvm-objdump-19\n" in done.stderr


def test_an_unknown_preset_is_an_error() -> None:
    done = subprocess.run((SCRIPT, "solaris"), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "unknown preset solaris; expected one of: clang x86_64-linux-musl" in re.sub(" +", " ", done.stderr)
