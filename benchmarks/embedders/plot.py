"""Latency against quality. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib import pyplot

from benchmarks.common.plots import logarithmic, save

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
        axis.set(xlabel=f"ms, one text of {LENGTH} tokens, one thread", ylabel=label)
        logarithmic(axis, (1, 3))
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=7)
    save(figure, file)
