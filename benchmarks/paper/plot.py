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
    figure, axis = pyplot.subplots(figsize=(6.4, 3.8), layout="constrained")
    for marker, (name, points) in zip("sov", series(found).items(), strict=True):
        axis.scatter([ms for _, ms, _ in points], [glue for *_, glue in points], marker=marker, label=name, s=28)
        for system, milliseconds, glue in points:
            axis.annotate(system, (milliseconds, glue), xytext=(3, 4), textcoords="offset points", fontsize=6)
    axis.set(xscale="log", xlabel="ms, one text of 128 tokens", ylabel="GLUE test score (published)")
    axis.grid(alpha=0.3)
    axis.margins(x=0.12, y=0.12)
    axis.legend(fontsize=7, loc="lower right")
    figure.savefig(arguments[1], metadata={"Date": None})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
