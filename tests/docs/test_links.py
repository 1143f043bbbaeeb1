"""Relative links of every Markdown file of the repository lead to a file. The site's build checks links to headings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, prose

FOLDERS = (".", ".github", "benchmarks", "docs", "examples", "mobilebert_rt", "training")
FILES = sorted({path for folder in FOLDERS for path in (ROOT / folder).glob("*.md" if folder == "." else "**/*.md")})


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_relative_links_lead_to_a_file(file: Path) -> None:
    links = [link.partition("#")[0] for link in re.findall(r"\]\(([^)\s]+)\)", prose(file))]
    relative = [link for link in links if link and not link.startswith(("http:", "https:"))]
    assert [link for link in relative if not (file.parent / link).is_file()] == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_files_named_in_the_text_exist(file: Path) -> None:
    named = re.findall(
        r"`((?:benchmarks|cmake|csrc|docs|examples|mobilebert_rt|scripts|tests|training)/[\w./]+)`", prose(file)
    )
    assert [path for path in named if not (ROOT / path).exists()] == []
