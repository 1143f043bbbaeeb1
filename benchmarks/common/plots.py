"""What plots have in common. Needs matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

# Text stays text: a plot is a few kilobytes, and the viewer chooses the font.
pyplot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "mobilebert_rt", "font.size": 9, "axes.grid": True})
pyplot.rcParams.update({"grid.alpha": 0.3, "figure.constrained_layout.use": True})


def logarithmic(axis: Any, ticks: tuple[int, ...]) -> None:
    """A logarithmic x axis with numbers at these multiples of powers of ten."""
    axis.set(xscale="log")
    axis.xaxis.set_major_locator(LogLocator(subs=ticks))
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())


def save(figure: Any, file: Path) -> None:
    """As SVG, with the same bytes for the same plot."""
    figure.savefig(file, metadata={"Date": None})
