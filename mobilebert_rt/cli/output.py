"""Results as JSON and as tables."""

from __future__ import annotations

import json
import sys
from typing import Any


def write_json(value: Any) -> None:
    """One JSON value; text stays readable where the output is UTF-8. NaN is refused since JSON has none."""
    is_utf8 = (sys.stdout.encoding or "utf-8").lower().replace("_", "-") in ("utf-8", "utf8")
    print(json.dumps(value, ensure_ascii=not is_utf8, allow_nan=False, indent=2))


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
