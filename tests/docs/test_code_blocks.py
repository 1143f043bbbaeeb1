"""Every code block of README.md, CONTRIBUTING.md and docs/ works as it stands."""

from __future__ import annotations

import doctest
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.docs.commands import check, commands
from tests.docs.pages import PAGES, ROOT, RUN_ELSEWHERE, Block, blocks, make_targets, prose
from tests.docs.serving import run_python

COMPILERS = {"c": ("gcc", "-std=c11"), "cpp": ("g++", "-std=c++17")}
# text: formulas, file names, pictures; nothing that could run.
LANGUAGES = {"python", "pycon", "sh", "cmake", "text", *COMPILERS}
# Run elsewhere: by js/test/package.test.mjs and js/test/browser.test.mjs; java by tests/java. Others: not run.
OTHERS = {"javascript.md": {"js", "html", "ts"}, "mobile.md": {"java", "kotlin", "swift"}}

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
PROGRAMS = [block for page in PAGES for block in blocks(page) if block.language in COMPILERS]


@each_page
def test_every_block_names_its_language(page: Path) -> None:
    languages = LANGUAGES | OTHERS.get(page.name, set())
    assert {str(block): block.language for block in blocks(page) if block.language not in languages} == {}
    assert not re.findall(r"\n\n {4}\S.*", prose(page)), "indented code blocks name no language; use fences"


@each_page
def test_python_blocks_and_commands_run_in_order(page: Path, inside: Path) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page):
        if block.language == "python" and page not in RUN_ELSEWHERE:
            run_python(block, names, inside)
        elif block.language == "pycon":
            run_session(block, names)
        elif block.language == "sh":
            for command in commands(block.text):
                problem = check(command, inside)
                assert problem is None, f"{block}: {command}\n{problem}"


def run_session(block: Block, names: dict[str, Any]) -> None:
    """Runs an interactive session and compares what it prints."""
    session = doctest.DocTestParser().get_doctest(block.text, {}, str(block), str(block.page), block.line - 1)
    session.globs = names
    found: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(session, out=found.append, clear_globs=False)
    assert not found, "".join(found)


@pytest.mark.parametrize("block", PROGRAMS, ids=str)
def test_programs_compile_without_a_warning(block: Block) -> None:
    compiler, standard = COMPILERS[block.language]
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not installed")
    kind = "c" if block.language == "c" else "c++"
    include = f"-I{ROOT / 'csrc/include'}"
    command = [compiler, standard, "-Wall", "-Wextra", "-Werror", "-fsyntax-only", include, "-x", kind, "-"]
    done = subprocess.run(command, input=block.text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("language", COMPILERS)
def test_the_first_program_needs_at_most_ten_lines(language: str) -> None:
    programs = [block for block in PROGRAMS if block.page.name == "native.md" and block.language == language]
    assert len(programs) == 1
    body = [line for line in programs[0].text.splitlines() if not line.startswith(("#include", "}"))]
    assert len(body) <= 10, body


@each_page
def test_cmake_blocks_name_targets_that_are_installed(page: Path) -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("csrc/**/CMakeLists.txt"))
    sources += "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("csrc/capi/*.cmake*"))
    for block in blocks(page):
        for target in re.findall(r"\bmobilebert_rt::(\w+)", block.text) if block.language == "cmake" else []:
            assert re.search(rf"\b{target}\b", sources), f"{block}: {target}"


@each_page
def test_make_targets_in_the_text_exist(page: Path) -> None:
    assert set(re.findall(r"`make ([a-z0-9-]+)`", prose(page))) <= make_targets()
