"""`mobilebert_rt.convert` is a function whatever was imported; the converter is loaded when asked for."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import mobilebert_rt
from tests import interpreter


def last_line_of(program: str) -> str:
    """What a fresh interpreter prints last."""
    done = interpreter.run(program)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def test_public_convert_is_not_shadowed_by_a_module() -> None:
    program = (
        "import mobilebert_rt, mobilebert_rt.conversion, mobilebert_rt.cli.convert\n"
        "print(mobilebert_rt.convert is mobilebert_rt.conversion.convert)"
    )
    assert last_line_of(program) == "True"


def test_import_does_not_load_the_converter() -> None:
    program = (
        "import sys, mobilebert_rt\n"
        "print(sorted(name for name in sys.modules if name.startswith('mobilebert_rt.conversion')))"
    )
    assert last_line_of(program) == "[]"


def test_source_folder_without_compiled_module_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "mobilebert_rt").mkdir()
    shutil.copy(mobilebert_rt.__file__, tmp_path / "mobilebert_rt")
    command = interpreter.command("-S", "-c", "import mobilebert_rt")  # -S: the installed package is not found
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert f"ImportError: {tmp_path / 'mobilebert_rt'}: source folder without the compiled module" in done.stderr
    assert "make dev" in done.stderr
