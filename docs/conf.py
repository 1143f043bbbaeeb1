"""The documentation site: `make docs` builds it into build/docs. Warnings are errors there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_VERSION = re.search(r"project\(mobilebert_rt VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text(encoding="utf-8"))
assert _VERSION is not None

project = "mobilebert_rt"
author = "the mobilebert_rt contributors"
project_copyright = author
version = release = _VERSION[1]

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["requirements.txt"]
html_theme = "furo"
html_title = f"mobilebert_rt {release}"
html_show_sourcelink = False
smartquotes = False  # "int8" is Python

# A link to a heading of another page is written page.md#heading and checked.
myst_heading_anchors = 4

# Single backquotes in docstrings are code, as in Markdown.
default_role = "code"
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_mock_imports = ["pandas", "pyarrow", "pyspark"]

# Links between pages and to the API reference are checked; names of other projects and type aliases are not linked.
nitpicky = True
nitpick_ignore_regex = [
    (r"py:.*", r"(?!mobilebert_rt\.).*"),
    (r"py:.*", r"mobilebert_rt\._core.*"),
]


# Pages whose text is a file of the repository's top folder.
_TOP_FILES = {"contributing": "CONTRIBUTING.md", "changelog": "CHANGELOG.md"}
# Links to files of the repository that are no pages of the site: from docs/, and from the top folder.
_FROM_DOCS = re.compile(r"\[([^\]]+)\]\((?:\.\./)+([^)#]+)\)")
_FROM_TOP = re.compile(r"\[([^\]]+)\]\((?!docs/|https?:)([^)#]+)\)")


def _adapt_source(_app: Any, page: str, source: list[str]) -> None:
    """Takes in the files of the top folder, and names files outside the site instead of linking them.

    Where the repository is hosted is not known here.
    """

    def name(link: re.Match[str]) -> str:
        return f"`{link[2]}`" if link[1] == link[2] else f"{link[1]} (`{link[2]}`)"

    if page in _TOP_FILES:
        text = (ROOT / _TOP_FILES[page]).read_text(encoding="utf-8")
        source[0] = _FROM_TOP.sub(name, text).replace("](docs/", "](")
    else:
        source[0] = _FROM_DOCS.sub(name, source[0])


# The start of an argument's description in a docstring: "precision: int8 or fp32. force: replace the file."
_ARGUMENT = re.compile(r"(?:^|(?<=[.;)]) )((?:\w+, )*\w+): ")


def _list_arguments(_app: Any, _what: str, _name: str, _object: Any, _options: Any, lines: list[str]) -> None:
    """Makes a list of a docstring's paragraph that describes arguments."""
    paragraphs = "\n".join(lines).split("\n\n")
    for i, paragraph in enumerate(paragraphs):
        text = " ".join(paragraph.split("\n"))
        if re.match(r"[a-z_]\w*(, \w+)*: ", text) and not text.startswith("example"):
            names, texts = _ARGUMENT.findall(text), _ARGUMENT.split(text)[2::2]
            paragraphs[i] = "\n".join(f"* **{name}**: {what}" for name, what in zip(names, texts, strict=True))
    lines[:] = "\n\n".join(paragraphs).split("\n")


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _adapt_source)
    app.connect("autodoc-process-docstring", _list_arguments)
