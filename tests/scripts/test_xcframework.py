"""The Swift package: what can be checked without Swift and Xcode."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.common import EXIT_UNAVAILABLE, REPOSITORY, missing_tool

SWIFT = REPOSITORY / "bindings/swift"
HEADER = REPOSITORY / "csrc/include/mobilebert_rt.h"


def test_clang_imports_the_c_api_as_a_module_for_ios(tmp_path: Path) -> None:
    if message := missing_tool("clang++-19"):
        pytest.skip(message)
    for source in (HEADER, SWIFT / "Headers/module.modulemap"):
        shutil.copy(source, tmp_path)
    program = tmp_path / "program.c"
    program.write_text("#pragma clang module import CMobileBertRT\nuint32_t f(void) { return mbrt_abi_version(); }\n")
    flags = ("--target=arm64-apple-ios14", "-ffreestanding", "-fmodules", f"-fmodules-cache-path={tmp_path / 'cache'}")
    command = ("clang++-19", "-x", "c", *flags, f"-I{tmp_path}", "-fsyntax-only", "-Wall", "-Werror", program)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_functions_structs_and_errors_that_swift_uses_are_those_of_the_header() -> None:
    header = HEADER.read_text()
    sources = "".join(path.read_text() for path in SWIFT.glob("Sources/**/*.swift"))
    used = set(re.findall(r"\b(?:mbrt|MBRT)_\w+", sources))
    assert len(used) > 10
    assert {name for name in used if not re.search(rf"\b{name}\b", header)} == set()
    kinds = re.findall(r"case (\w+) = (\d+)", sources)
    statuses = re.findall(r"MBRT_ERROR_(\w+) = (\d+)", header)
    assert [(name.lower().removesuffix("error"), number) for name, number in kinds] == [
        (name.lower().replace("_", ""), number) for name, number in statuses
    ]


def test_the_script_says_that_xcode_is_missing(tmp_path: Path) -> None:
    for tool in ("bash", "dirname"):
        (tmp_path / tool).symlink_to(str(shutil.which(tool)))
    command = (tmp_path / "bash", REPOSITORY / "scripts/xcframework.sh")
    done = subprocess.run(command, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (EXIT_UNAVAILABLE, "*** NOT INSTALLED: xcodebuild\n")
