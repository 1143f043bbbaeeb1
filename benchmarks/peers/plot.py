"""Latency by length and texts per second, this engine and others. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib import pyplot

from benchmarks.common.plots import logarithmic, save
from benchmarks.common.results import Run


def latency_and_texts(run: Run, file: Path) -> None:
    """Left: MobileBERT in int8, one text, on the fewest and the most threads. Right: the best way to embed 64 texts."""
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(8.2, 3.6))
    found = [r for r in run.find("latency", precision="int8") if r.median is not None]
    peers = [peer for peer in run.labels if any(r.peer == peer for r in found)]
    threads = sorted({r.threads for r in found})
    colours = {peer: f"C{i}" for i, peer in enumerate(run.labels)}
    for peer in peers:
        for count, style in ((threads[0], "-"), (threads[-1], "--"))[: len(threads)]:
            points = sorted(
                (r.length, 1e3 * r.median) for r in found if (r.peer, r.threads) == (peer, count) and r.median
            )
            label = run.labels[peer] if style == "-" else None
            left.plot(*zip(*points, strict=True), style, color=colours[peer], label=label, marker=".", linewidth=1)
    logarithmic(left, (1,))
    left.set(yscale="log", xlabel="tokens", ylabel="ms", title="MobileBERT int8, one text")
    left.legend(fontsize=7, title=f"{threads[0]} (solid) and {threads[-1]} threads", title_fontsize=7)
    bars(right, best_of_texts(run), colours, run.labels)
    save(figure, file)


def best_of_texts(run: Run) -> dict[str, float]:
    """Texts per second of each peer's fastest way."""
    best: dict[str, float] = {}
    for r in run.find("texts"):
        if r.texts_per_second is not None:
            best[r.peer] = max(best.get(r.peer, 0.0), r.texts_per_second)
    return best


def bars(axis: Any, rates: Mapping[str, float], colours: Mapping[str, str], labels: Mapping[str, str]) -> None:
    order = sorted(rates, key=lambda peer: rates[peer])
    axis.barh(
        [labels[peer] for peer in order], [rates[peer] for peer in order], color=[colours[peer] for peer in order]
    )
    axis.tick_params(axis="y", labelsize=7)
    axis.grid(visible=False, axis="y")
    axis.set(xlabel="texts per second", title="64 texts, each engine's best way")
