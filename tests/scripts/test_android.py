"""The Android build: what can be checked without an NDK."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from scripts import android_syntax
from scripts.common import REPOSITORY, ScriptError, missing_tool

JAVA = REPOSITORY / "bindings/java"


@pytest.fixture(autouse=True)
def compilers() -> None:
    if message := missing_tool("clang++-19", "aarch64-linux-gnu-g++", "cmake", "javac"):
        pytest.skip(message)


def test_sources_of_the_platform_and_native_methods_are_accepted_for_android() -> None:
    """`make android` checks every source."""
    assert android_syntax.check([REPOSITORY / "csrc/base", REPOSITORY / "bindings"]) >= 10


def test_an_error_or_a_warning_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "wrong.cc").write_text(
        "#include <vector>\n#ifdef __ANDROID__\nint f() { int unused; return 1; }\n#endif\n"
    )
    monkeypatch.setattr(android_syntax, "sources", lambda: {tmp_path / "wrong.cc": ["-Wall"]})
    with pytest.raises(ScriptError, match="unused variable"):
        android_syntax.check([tmp_path])


def test_rules_for_r8_keep_the_classes_that_native_code_looks_up() -> None:
    rules = (JAVA / "android/consumer-rules.pro").read_text()
    kept = set(re.findall(r"io\.github\.mobilebert_rt\.(\w+)", rules))
    sources = "".join(path.read_text() for path in (JAVA / "src/main/cpp").glob("*.cc"))
    assert kept == set(re.findall(r'"io/github/mobilebert_rt/(\w+)"', sources))
