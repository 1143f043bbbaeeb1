"""Latency against the published GLUE score. Needs matplotlib, for which the driver has an environment of its own.

python benchmarks/paper/plot.py results.json FILE.svg
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from benchmarks.paper.systems import SYSTEMS
from benchmarks.paper.tables import PRECISIONS, Findings, read

# Text stays text: a plot is a few kilobytes, and reads in any font.
pyplot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "mobilebert_rt", "font.size": 8})

Point = tuple[str, float, float]  # name, ms, GLUE


def series(found: Findings) -> dict[str, list[Point]]:
    """What is drawn: the systems that have a GLUE score, and a latency there or here."""
    scored = [(system, system.published.glue) for system in SYSTEMS if system.published.glue is not None]
    points: dict[str, list[Point]] = {
        "Pixel 4, 4 threads (published)": [
            (system.name, system.published.milliseconds, glue)
            for system, glue in scored
            if system.published.milliseconds is not None
        ]
    }
    for precision in PRECISIONS:
        points[f"here, {precision}"] = [
            (system.name, 1e3 * timing.median, glue)
            for system, glue in scored
            if (timing := found.table4.get(system.key, {}).get(precision)) and timing.median is not None
        ]
    return points


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__)
        return 2
    found = read(Path(arguments[0]))
    drawn = series(found)
    figure, axis = pyplot.subplots(figsize=(6.8, 3.8), layout="constrained")
    for marker, (name, points) in zip("sov", drawn.items(), strict=True):
        axis.scatter(
            [ms for _, ms, _ in points], [glue for *_, glue in points], marker=marker, label=name, s=28, zorder=3
        )
    # A system has one score, so its points share a line: the name is told once, at its end.
    for name, score in {point[0]: point[2] for points in drawn.values() for point in points}.items():
        axis.axhline(score, linewidth=0.5, color="0.8")
        axis.annotate(name, (1.01, score), xycoords=axis.get_yaxis_transform(), va="center", fontsize=7)
    axis.set(xscale="log", xlabel="ms, one text of 128 tokens", ylabel="GLUE test score (published)")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.legend(fontsize=7, loc="center left")
    figure.savefig(arguments[1], metadata={"Date": None})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
