"""Markdown tables and the numbers in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Row = Sequence[str]

NOTHING = "-"


def table(header: Row, rows: Iterable[Row]) -> str:
    """A table that is readable as text too: the first column aligned to the left, the others to the right."""
    lines = [list(header), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = ["-" * width if i == 0 else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    lines.insert(1, rule)
    return "\n".join(
        "| " + " | ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) + " |" for line in lines
    )


def number(value: float | None, digits: int, factor: float = 1) -> str:
    return NOTHING if value is None else f"{factor * value:.{digits}f}"
