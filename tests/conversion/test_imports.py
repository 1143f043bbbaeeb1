"""`mobilebert_rt.convert` is a function whatever was imported; the converter is loaded when asked for."""

from __future__ import annotations

import subprocess
import sys


def last_line_of(program: str) -> str:
    """What a fresh interpreter prints last."""
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.splitlines()[-1]


def test_public_convert_is_not_shadowed_by_a_module() -> None:
    program = (
        "import mobilebert_rt, mobilebert_rt.conversion, mobilebert_rt.cli.convert\n"
        "print(mobilebert_rt.convert is mobilebert_rt.conversion.convert)"
    )
    assert last_line_of(program) == "True"


def test_import_leaves_the_converter_alone() -> None:
    program = (
        "import sys, mobilebert_rt\n"
        "print(sorted(name for name in sys.modules if name.startswith('mobilebert_rt.conversion')))"
    )
    assert last_line_of(program) == "[]"
