"""Bars above bars, as wide as the time they took: SVG text that needs nothing else to be seen."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH = 1600.0
_ROW = 20.0
_MARGIN = 10.0
_LETTER = 6.6  # pixels, of the monospaced font below
_THINNEST = 0.05  # pixels: a narrower bar cannot be seen


@dataclass(frozen=True, slots=True)
class Bar:
    """value: the width, in any unit of time; detail: shown on hover; children: lie below it, side by side."""

    name: str
    value: float
    detail: str
    children: tuple[Bar, ...] = ()

    @property
    def extent(self) -> float:
        """At least what the children need, whose medians may add up to more than the bar's own."""
        return max(self.value, sum(child.extent for child in self.children))

    @property
    def depth(self) -> int:
        """Rows that the bar and what lies below it take."""
        return 1 + max((child.depth for child in self.children), default=0)


def draw(title: str, pictures: Sequence[Bar]) -> str:
    """An SVG document: the title, and each picture under the one before, over the whole width."""
    y = _MARGIN + 1.5 * _ROW
    shapes: list[str] = []
    for bar in pictures:
        scale = _WIDTH / bar.extent if bar.extent > 0 else 0.0
        shapes.extend(_shapes(bar, _MARGIN, y, scale))
        y += (bar.depth + 1) * _ROW
    width = _WIDTH + 2 * _MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {y:g}" width="{width:g}" height="{y:g}" '
        'font-family="monospace" font-size="11">'
    )
    paper = '<rect width="100%" height="100%" fill="white"/>'
    caption = f'<text x="{_MARGIN:g}" y="{_MARGIN + 10:g}" font-size="13">{escape(title)}</text>'
    return "\n".join([head, paper, caption, *shapes, "</svg>", ""])


def _shapes(bar: Bar, x: float, y: float, scale: float) -> Iterator[str]:
    width = bar.extent * scale
    if width < _THINNEST:
        return
    yield f"<g><title>{escape(bar.name)}: {escape(bar.detail)}</title>"
    yield (
        f'<rect x="{x:.2f}" y="{y:g}" width="{width:.2f}" height="{_ROW - 1:g}" fill="{_colour(bar.name)}" '
        'stroke="white" stroke-width="0.4"/>'
    )
    room = int((width - 4) / _LETTER)
    if room >= 3:
        label = bar.name if len(bar.name) <= room else bar.name[: room - 1] + "…"
        yield f'<text x="{x + 3:.2f}" y="{y + 13:g}">{escape(label)}</text>'
    yield "</g>"
    for child in bar.children:
        yield from _shapes(child, x, y + _ROW, scale)
        x += child.extent * scale


def _colour(name: str) -> str:
    """The same for the same kind of bar everywhere: its name without numbers decides."""
    kind = "".join(letter for letter in name if not letter.isdigit())
    hue = zlib.crc32(kind.encode()) % 360
    return f"hsl({hue},60%,75%)"
