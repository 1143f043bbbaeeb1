"""Results into the documentation: the text between two markers is replaced, the rest is left alone.

<!-- begin table-7 -->
...
<!-- end table-7 -->
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs" / "results.md"

BUSY = 0.5  # load average per processor in use above which a machine is not quiet


class MarkerError(Exception):
    """A document lacks the place for a text; the message says what to write where."""


def put(document: Path, name: str, text: str) -> None:
    """Replace what stands between the markers `name`. Raises MarkerError when they are not there once each."""
    begin, end = f"<!-- begin {name} -->", f"<!-- end {name} -->"
    found = document.read_text(encoding="utf-8")
    if found.count(begin) != 1 or found.count(end) != 1 or found.index(begin) > found.index(end):
        raise MarkerError(f"{document} needs the lines {begin} and {end}, once each and in this order")
    head, rest = found.split(begin)
    tail = rest.split(end)[1]
    document.write_text(f"{head}{begin}\n{text.strip()}\n{end}{tail}", encoding="utf-8")


def provisional(machine: Mapping[str, Any], quick: bool) -> str:
    """Why figures are not to be quoted yet; "" where nothing is known against them."""
    reasons = ["the run was a quick one"] if quick else []
    load = machine.get("load_average", [0.0])[0]
    if load > BUSY * len(machine.get("used", [0])):
        reasons.append(f"the machine was busy (load average {load:g} at the start)")
    if machine.get("niceness", 0) > 0:
        reasons.append(f"the run gave way to others (niceness {machine['niceness']})")
    return f"**Provisional: {', and '.join(reasons)}.**" if reasons else ""
