"""The programs in docs/native.md compile as they stand, and are as short as promised."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from scripts.common import REPOSITORY

DOCUMENT = REPOSITORY / "docs/native.md"
COMPILERS = {"c": ("gcc", "-std=c11"), "cpp": ("g++", "-std=c++17")}


@pytest.mark.parametrize("language", COMPILERS)
def test_the_shortest_program_compiles_without_a_warning(language: str) -> None:
    compiler, standard = COMPILERS[language]
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    programs = re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT.read_text(), re.M | re.S)
    assert len(programs) == 1
    body = [line for line in programs[0].splitlines() if not line.startswith(("#include", "}"))]
    assert len(body) <= 10, body
    include = f"-I{REPOSITORY / 'csrc/include'}"
    command = (compiler, standard, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", include, "-x")
    kind = "c" if language == "c" else "c++"
    done = subprocess.run((*command, kind, "-"), input=programs[0], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
