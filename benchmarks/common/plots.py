"""Plots of a run, as far as it has results. Needs matplotlib.

python benchmarks/common/plots.py results.json FOLDER      writes FOLDER/{latency,throughput,glue}.svg
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from benchmarks.common.results import Run, read
from benchmarks.paper.systems import SYSTEMS

# Text stays text: a plot is a few kilobytes, and the viewer chooses the font.
pyplot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "mobilebert_rt", "font.size": 9, "axes.grid": True})
pyplot.rcParams.update({"grid.alpha": 0.3, "figure.constrained_layout.use": True})
PRECISION_LINES = {"int8": "-", "bf16": "-.", "fp32": "--"}
RUNTIMES = ("ours", "litert", "ort", "openvino", "torch")


def style(peer: str) -> dict[str, Any]:
    """One colour per engine, one line style per precision; ours is thicker."""
    runtime, precision = peer.rsplit("-", 1)
    ours = runtime == "ours"
    return {
        "color": "black" if ours else f"C{RUNTIMES.index(runtime) - 1}",
        "linestyle": PRECISION_LINES[precision],
        "linewidth": 2.2 if ours else 1.2,
    }


def finish(axis: Any, values: list[int], **labels: Any) -> None:
    """A logarithmic x axis with the measured values as ticks, labels, and the legend beside the plot."""
    axis.set_xscale("log", base=2)
    axis.set_xticks(values, [str(value) for value in values])
    axis.minorticks_off()
    axis.set(**labels)
    axis.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.01, 0.5))


def latency(run: Run) -> Any:
    """Latency by length; a panel per number of threads."""
    found = run.find("latency")
    if not found:
        return None
    threads = sorted({result.threads for result in found})
    figure, axes = pyplot.subplots(1, len(threads), figsize=(2.5 + 4.5 * len(threads), 4), sharey=True, squeeze=False)
    for axis, count in zip(axes[0], threads, strict=True):
        for peer, label in run.labels.items():
            own = sorted(run.find("latency", peer=peer, threads=count), key=lambda result: result.length)
            if own:
                times = [1e3 * (result.median or 0) for result in own]
                axis.plot([r.length for r in own], times, marker=".", label=label, **style(peer))
        title = f"{count} thread{'s' * (count > 1)}"
        lengths = sorted({result.length for result in found})
        finish(axis, lengths, yscale="log", xlabel="tokens", title=title, ylabel="ms per text, MobileBERT")
    return figure


def throughput(run: Run) -> Any:
    """Texts per second by batch size."""
    found = run.find("texts")
    if not found:
        return None
    figure, axis = pyplot.subplots(figsize=(7.5, 4))
    threads = max(result.threads for result in found)
    for peer, label in run.labels.items():
        own = run.find("texts", peer=peer, copies=1, threads=threads)
        if own:
            rates = [result.texts_per_second for result in own]
            axis.plot([result.batch for result in own], rates, marker=".", label=label, **style(peer))
        for result in run.find("texts", peer=peer):
            if result.copies > 1:
                axis.plot([result.batch], [result.texts_per_second], marker="x", color=style(peer)["color"])
    finish(
        axis,
        sorted({result.batch for result in found}),
        xlabel="texts per batch (x: one engine per thread)",
        ylabel="texts per second",
        ylim=(0, None),
        title=f"64 texts of 5 to 60 tokens, {threads} thread{'s' * (threads > 1)}",
    )
    return figure


def glue(run: Run) -> Any:
    """Latency against the published GLUE score: published latencies, and those measured here."""
    if not run.find("table4"):
        return None
    figure, axis = pyplot.subplots(figsize=(6.8, 3.8))
    scored = [(system, system.published) for system in SYSTEMS if system.published.glue is not None]
    measured: dict[str, dict[str, float]] = {
        "Pixel 4, 4 threads (published)": {s.key: p.milliseconds for s, p in scored if p.milliseconds is not None}
    }
    for precision in ("fp32", "int8"):
        results = run.find("table4", precision=precision)
        measured[f"here, {precision}"] = {r.model: 1e3 * r.median for r in results if r.median is not None}
    for marker, (label, times) in zip("sov", measured.items(), strict=True):
        points = [(times[s.key], p.glue) for s, p in scored if s.key in times]
        axis.scatter([x for x, _ in points], [y for _, y in points], marker=marker, label=label, s=28, zorder=3)
    for system, published in scored:
        if any(system.key in times for times in measured.values()):
            place = {"xycoords": axis.get_yaxis_transform(), "va": "center", "fontsize": 7}
            axis.annotate(system.name, (1.01, published.glue), **place)
    axis.set(xscale="log", xlabel="ms, one text of 128 tokens", ylabel="GLUE test score (published)")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.xaxis.set_minor_formatter(NullFormatter())
    axis.legend(fontsize=7, loc="center left")
    return figure


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__)
        return 2
    run, folder = read(Path(arguments[0])), Path(arguments[1])
    folder.mkdir(parents=True, exist_ok=True)
    for plot in (latency, throughput, glue):
        figure = plot(run)
        if figure is not None:
            figure.savefig(folder / f"{plot.__name__}.svg", metadata={"Date": None})
            pyplot.close(figure)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
