"""Latency against quality. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

# Text stays text: a plot is a few kilobytes, and the viewer chooses the font.
pyplot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "mobilebert_rt", "font.size": 9, "axes.grid": True})
pyplot.rcParams.update({"grid.alpha": 0.3, "figure.constrained_layout.use": True})

PANELS = {"similarity": "STS-B dev, Spearman", "retrieval": "retrieval, nDCG@10"}
LENGTH = 32


def draw(models: Mapping[str, Any], file: Path) -> None:
    """One point for each model: time for a text of LENGTH tokens, and its quality; a panel for each task."""
    figure, axes = pyplot.subplots(1, len(PANELS), figsize=(7.6, 3.4), sharex=True)
    for axis, (task, label) in zip(axes, PANELS.items(), strict=True):
        for marker, (name, entry) in zip("osD^vPX*", models.items(), strict=False):
            time = entry["times"][LENGTH].get("median")
            if time is not None:
                axis.scatter(1e3 * time, entry["quality"][task], marker=marker, s=36, label=name, zorder=3)
        axis.set(xscale="log", xlabel=f"ms, one text of {LENGTH} tokens, one thread", ylabel=label)
        axis.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
        axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.xaxis.set_minor_formatter(NullFormatter())
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=7)
    figure.savefig(file, metadata={"Date": None})
