"""Results as JSON and as tables."""

from __future__ import annotations

import json
from typing import Any


def write_json(value: Any) -> None:
    """One JSON value; text stays readable, and NaN is refused since JSON has none."""
    print(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=2))


def table(header: list[str], rows: list[list[str]], right: bool = True) -> str:
    """Columns padded to their widest cell: the first to the left, the others to the right (if right)."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    lines = []
    for first, *others in [header, *rows]:
        cells = [
            cell.rjust(width) if right else cell.ljust(width) for cell, width in zip(others, widths[1:], strict=True)
        ]
        lines.append("  ".join([first.ljust(widths[0]), *cells]).rstrip())
    return "\n".join(lines)


def megabytes(count: float) -> str:
    return f"{count / 1e6:,.1f} MB"
