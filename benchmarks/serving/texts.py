"""Sentences to send: of a file, or of this project's documentation."""

from __future__ import annotations

import random
import re
from pathlib import Path

from scripts.common import REPOSITORY

MIN_WORDS, MAX_WORDS = 3, 60
COUNT = 1000


def from_file(path: Path) -> list[str]:
    """One sentence a line."""
    return _chosen(path.read_text(encoding="utf-8").splitlines())


def from_documentation() -> list[str]:
    """The sentences of docs/, without code, tables and headings."""
    found: list[str] = []
    for page in sorted((REPOSITORY / "docs").glob("*.md")):
        text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
        for paragraph in re.split(r"\n\s*\n", text):
            if not paragraph.lstrip().startswith(("|", "#", "<", ">", "!")):
                found += re.split(r"(?<=[.!?:])\s+", " ".join(paragraph.split()))
    return _chosen(found)


def _chosen(sentences: list[str]) -> list[str]:
    """Different ones that are neither short nor long, COUNT at most, in the same order in every run."""
    kept = [s for s in dict.fromkeys(map(str.strip, sentences)) if MIN_WORDS <= len(s.split()) <= MAX_WORDS]
    random.Random(0).shuffle(kept)
    return kept[:COUNT]
