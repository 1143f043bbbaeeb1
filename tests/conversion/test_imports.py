"""`mobilebert_rt.convert` is a function whatever was imported; the converter is loaded when asked for."""

from __future__ import annotations

import shutil
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


def test_import_leaves_the_converter_alone() -> None:
    program = (
        "import sys, mobilebert_rt\n"
        "print(sorted(name for name in sys.modules if name.startswith('mobilebert_rt.conversion')))"
    )
    assert last_line_of(program) == "[]"


def test_a_source_tree_without_the_engine_says_so(tmp_path: Path) -> None:
    (tmp_path / "mobilebert_rt" / "_core").mkdir(parents=True)  # as in the tree: type stubs and no module
    shutil.copy(mobilebert_rt.__file__, tmp_path / "mobilebert_rt")
    done = interpreter.run("import mobilebert_rt", PYTHONPATH=str(tmp_path))
    assert "ImportError: mobilebert_rt was imported from" in done.stderr
    assert str(tmp_path) in done.stderr
    assert "pip install" in done.stderr
