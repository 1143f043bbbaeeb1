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


def number(value: float | None, digits: int) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"


def milliseconds(median: float | None, first_quartile: float | None, third_quartile: float | None) -> str:
    """Median ± half the interquartile range, from seconds."""
    if median is None:
        return NOTHING
    half = ((third_quartile or median) - (first_quartile or median)) / 2
    return f"{1e3 * median:.2f} ±{1e3 * half:.2f}"
