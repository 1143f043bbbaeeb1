"""Latency against the published GLUE score: published latencies, and those measured here. Needs matplotlib."""

from __future__ import annotations

from pathlib import Path

from matplotlib import pyplot

from benchmarks.common.plots import logarithmic, save
from benchmarks.common.results import Run
from benchmarks.paper.systems import SYSTEMS


def glue(run: Run, file: Path) -> None:
    """Write the plot of a run of table 4."""
    figure, axis = pyplot.subplots(figsize=(6.8, 3.8))
    scored = [system for system in SYSTEMS if system.glue is not None]
    measured: dict[str, dict[str, float]] = {
        "Pixel 4, 4 threads (published)": {s.key: s.milliseconds for s in scored if s.milliseconds is not None}
    }
    for precision in ("fp32", "int8"):
        results = run.find("table4", precision=precision)
        measured[f"here, {precision}"] = {r.model: 1e3 * r.median for r in results if r.median is not None}
    for marker, (label, times) in zip("sov", measured.items(), strict=True):
        points = [(times[s.key], s.glue) for s in scored if s.key in times]
        axis.scatter([x for x, _ in points], [y for _, y in points], marker=marker, label=label, s=28, zorder=3)
    for system in scored:
        if any(system.key in times for times in measured.values()):
            place = {"xycoords": axis.get_yaxis_transform(), "va": "center", "fontsize": 7}
            axis.annotate(system.name, (1.01, system.glue), **place)
    axis.set(xlabel="ms, one text of 128 tokens", ylabel="GLUE test score (published)")
    logarithmic(axis, (1, 2, 5))
    axis.legend(fontsize=7, loc="center left")
    save(figure, file)
