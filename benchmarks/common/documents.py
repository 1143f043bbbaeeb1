"""Writing results into the documentation: only the text between two markers is replaced.

<!-- begin table-7 -->
...
<!-- end table-7 -->
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from scripts.common import REPOSITORY

RESULTS = REPOSITORY / "docs" / "results.md"

PLOT_LIBRARY = "matplotlib"
MAX_LOAD = 0.5  # load average per CPU in use, above which figures are provisional


class MarkerError(Exception):
    """A document lacks the markers of a section; the message says which lines to add."""


def put(document: Path, name: str, text: str) -> None:
    """Replace the text between the markers of section `name`. Raises MarkerError unless each occurs once."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    found = document.read_text(encoding="utf-8")
    if found.count(begin) != 1 or found.count(end) != 1 or found.index(begin) > found.index(end):
        raise MarkerError(f"{document}: expected the lines {begin} and {end}, each once and in this order. Add them.")
    head, rest = found.split(begin)
    tail = rest.split(end)[1]
    document.write_text(f"{head}{begin}\n{text.strip()}\n{end}{tail}", encoding="utf-8")


def can_plot(say: Callable[[str], None]) -> bool:
    """Whether matplotlib is installed; if not, says how to install it."""
    found = importlib.util.find_spec(PLOT_LIBRARY) is not None
    if not found:
        say(f"no plot: {PLOT_LIBRARY} is not installed. Install it: pip install {PLOT_LIBRARY}")
    return found


def provisional(machine: Mapping[str, Any], quick: bool) -> str:
    """A warning with the reasons not to quote the figures, or "" if there are none."""
    reasons = ["this was a quick run"] if quick else []
    load = machine.get("load_average", [0.0])[0]
    if load > MAX_LOAD * len(machine.get("used", [0])):
        reasons.append(f"the machine was busy (load average {load:g} at the start)")
    if machine.get("niceness", 0) > 0:
        reasons.append(f"the run had a low priority (niceness {machine['niceness']})")
    return f"**Provisional: {', and '.join(reasons)}.**" if reasons else ""
