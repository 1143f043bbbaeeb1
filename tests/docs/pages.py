"""The pages of the documentation and their code blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
INTEGRATIONS = ROOT / "docs" / "integrations.md"
SCALE = ROOT / "docs" / "scale.md"
# Pages whose Python blocks need libraries that `make test` does not install. Tests elsewhere run these.
RUN_ELSEWHERE = {INTEGRATIONS: "tests/integrations", SCALE: "tests/scale"}

_FENCED = re.compile(r"^(`{3,})(\S*)[^\n]*\n(.*?)^\1$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced code block.

    section: its heading of the second level, "" before the first one; line: that of its first line; language: the word
    after the fence, "" when there is none.
    """

    page: Path
    section: str
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """The code blocks of a page in order. Directives of the site ({toctree}, {include}, ...) are left out."""
    text = page.read_text(encoding="utf-8")
    headings = [(found.start(), found[1]) for found in re.finditer(r"^## (.*)$", text, re.MULTILINE)]
    for found in _FENCED.finditer(text):
        if not found[2].startswith("{"):
            section = next((name for start, name in reversed(headings) if start < found.start()), "")
            yield Block(page, section, text.count("\n", 0, found.start(3)) + 1, found[2], found[3])


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _FENCED.sub("", page.read_text(encoding="utf-8"))


def make_targets() -> set[str]:
    """The targets of the Makefile that are names and not files."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", " ")
    return {name for line in re.findall(r"^\.PHONY:(.*)$", text, re.MULTILINE) for name in line.split()}
