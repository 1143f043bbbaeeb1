"""Plots of a run. Needs matplotlib, for which the driver has an environment of its own.

python benchmarks/peers/plots.py results.json FOLDER      writes FOLDER/*.svg
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

from benchmarks.peers import ratios
from benchmarks.peers.results import Run, read

# Text stays text: a plot is a few kilobytes, and reads in any font.
pyplot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "mobilebert_rt", "font.size": 9, "axes.grid": True})
pyplot.rcParams.update({"grid.alpha": 0.3, "figure.constrained_layout.use": True})
PRECISION_LINES = {"int8": "-", "bf16": "-.", "fp32": "--"}
RUNTIMES = ("ours", "litert", "ort", "openvino", "torch")


def style(peer: str) -> dict[str, Any]:
    """One colour an engine, one kind of line a precision; ours is drawn thicker."""
    runtime, precision = peer.rsplit("-", 1)
    ours = runtime == "ours"
    return {
        "color": "black" if ours else f"C{RUNTIMES.index(runtime) - 1}",
        "linestyle": PRECISION_LINES[precision],
        "linewidth": 2.2 if ours else 1.2,
    }


def ticks(axis: Any, values: list[int]) -> None:
    """A logarithmic axis that names the measured values, as they are."""
    axis.set_xscale("log", base=2)
    axis.set_xticks(values, [str(value) for value in values])
    axis.minorticks_off()


def latency(run: Run) -> Any:
    threads = sorted({result.threads for result in run.find("latency")})
    if not threads:
        return None
    figure, axes = pyplot.subplots(1, len(threads), figsize=(2.5 + 4.5 * len(threads), 4), sharey=True, squeeze=False)
    for axis, count in zip(axes[0], threads, strict=True):
        for peer, label in run.labels.items():
            found = sorted(run.find("latency", peer=peer, threads=count), key=lambda result: result.length)
            if found:
                times = [1e3 * (result.median or 0) for result in found]
                axis.plot([r.length for r in found], times, marker=".", label=label, **style(peer))
        axis.set(yscale="log", xlabel="tokens", title=f"{count} thread{'s' * (count > 1)}")
        ticks(axis, sorted({result.length for result in run.find("latency")}))
    axes[0][0].set_ylabel("ms a text, MobileBERT")
    axes[0][-1].legend(fontsize=7, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure


def throughput(run: Run) -> Any:
    if not run.find("texts"):
        return None
    figure, axis = pyplot.subplots(figsize=(7.5, 4))
    threads = max(result.threads for result in run.find("texts"))
    for peer, label in run.labels.items():
        found = run.find("texts", peer=peer, copies=1, threads=threads)
        if found:
            axis.plot(
                [r.batch for r in found], [*map(ratios.texts_a_second, found)], marker=".", label=label, **style(peer)
            )
        for apart in (result for result in run.find("texts", peer=peer) if result.copies > 1):
            colour = style(peer)["color"]
            axis.plot([apart.batch], [ratios.texts_a_second(apart)], marker="x", color=colour, linestyle="")
    ticks(axis, sorted({result.batch for result in run.find("texts")}))
    axis.set(xlabel="texts a batch (x: an engine a thread)", ylabel="texts a second", ylim=(0, None))
    axis.set_title(f"64 texts of 5 to 60 tokens, {threads} thread{'s' * (threads > 1)}")
    axis.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure


def threads(run: Run) -> Any:
    """How much faster two threads are than one."""
    lengths = sorted({result.length for result in run.find("latency", threads=2)})
    if not lengths:
        return None
    figure, axis = pyplot.subplots(figsize=(7.5, 4))
    for peer, label in run.labels.items():
        pairs = [
            (run.one("latency", peer=peer, length=n, threads=1), run.one("latency", peer=peer, length=n, threads=2))
            for n in lengths
        ]
        found = [
            (one.length, one.median / two.median) for one, two in pairs if one and two and one.median and two.median
        ]
        if found:
            axis.plot(*zip(*found, strict=True), marker=".", label=label, **style(peer))
    ticks(axis, lengths)
    axis.set(xlabel="tokens", ylabel="1 thread / 2 threads", title="Scaling")
    axis.legend(fontsize=7, loc="center left", bbox_to_anchor=(1.01, 0.5))
    return figure


def bars(run: Run) -> Any:
    """Load and first call, peak memory, package and file, side by side."""
    load = {r.peer: [1e3 * (r.load or 0), 1e3 * (r.first or 0)] for r in run.find("load")}
    memory = {r.peer: [r.memory / 2**20] for r in run.find("memory") if r.memory is not None}
    size = {name: [found["all"] / 1e6] for name, found in run.sizes.items() if "all" in found}
    panels = [
        ("load, then first call: ms", load),
        ("peak memory at 512 tokens: MiB", memory),
        ("installed with requirements: MB", size),
    ]
    panels = [(title, values) for title, values in panels if values]
    if not panels:
        return None
    figure, axes = pyplot.subplots(1, len(panels), figsize=(4.4 * len(panels), 3.6), squeeze=False)
    for axis, (title, values) in zip(axes[0], panels, strict=True):
        names = [run.labels.get(name, name) for name in reversed(values)]
        left = [0.0] * len(names)
        for part in range(len(next(iter(values.values())))):
            widths = [values[name][part] for name in reversed(values)]
            drawn = axis.barh(names, widths, left=left)
            left = [a + b for a, b in zip(left, widths, strict=True)]
        axis.bar_label(drawn, [f"{total:.0f}" for total in left], padding=2, fontsize=7)
        axis.margins(x=0.15)
        axis.set_title(title, fontsize=9)
        axis.tick_params(labelsize=7)
    return figure


PLOTS = {"latency": latency, "throughput": throughput, "threads": threads, "load_memory_size": bars}


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__)
        return 2
    run, folder = read(Path(arguments[0])), Path(arguments[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, plot in PLOTS.items():
        figure = plot(run)
        if figure is not None:
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
            pyplot.close(figure)
            print(folder / f"{name}.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
