"""Main comparisons as ratios: a peer's median over ours, both of one group, whose runs were interleaved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from benchmarks.common.results import Result, Run
from benchmarks.peers.interleaved import quartiles
from benchmarks.peers.plan import FAMILY

INT8_PEERS = ("litert-int8", "ort-int8", "openvino-int8")
LENGTHS = (32, 128, 384)
SHORT = (1, 8)
SHAPES = {
    "mobilebert": "MobileBERT",
    "tiny": "MobileBERT_TINY",
    "bert-base": "BERT-base",
    "minilm": "MiniLM",
    "default": "the default model",
}


Ratio = dict[str, Any]


def ratio(name: str, ours: Result | None, other: Result | None) -> Ratio | None:
    """value: time of `other` / time of `ours`; low, high: quartiles of the ratios per round. None: one is missing."""
    if ours is None or other is None or ours.median is None or other.median is None:
        return None
    low, high = quartiles([b / a for a, b in zip(ours.rounds, other.rounds, strict=False)])
    return {
        "name": name,
        "ours": label(ours),
        "other": label(other),
        "ours_seconds": ours.median,
        "other_seconds": other.median,
        "value": other.median / ours.median,
        "low": low,
        "high": high,
    }


def label(result: Result) -> str:
    """Peer, model, threads, batch."""
    words = [result.peer, f"{result.threads} thread{'s' * (result.threads > 1)}"]
    if result.model != "mobilebert":
        words.insert(1, SHAPES.get(result.model, result.model))
    if result.case == "texts":
        words.append(f"batch {result.batch}" + (f", {result.copies} engines" if result.copies > 1 else ""))
    return ", ".join(words)


def all_ratios(run: Run) -> list[Ratio]:
    """Every comparison for which the run has both results."""
    found = [*_one_thread(run), *_two_threads(run), *_others(run), _texts(run)]
    return [one for one in found if one is not None]


def best(results: Sequence[Result]) -> Result | None:
    """The fastest result."""
    timed = [result for result in results if result.median is not None]
    return min(timed, key=lambda result: result.median or 0.0) if timed else None


def _one_thread(run: Run) -> Iterator[Ratio | None]:
    for length in (*LENGTHS, *SHORT):
        ours = run.one("latency", peer="ours-int8", length=length, threads=1)
        for peer in INT8_PEERS if length in LENGTHS else ("litert-int8",):
            other = run.one("latency", peer=peer, length=length, threads=1)
            yield ratio(f"int8, {length} token{'s' * (length > 1)}, 1 thread", ours, other)
    yield ratio(
        "fp32, 128 tokens, 1 thread",
        run.one("latency", peer="ours-fp32", length=128, threads=1),
        run.one("latency", peer="litert-fp32", length=128, threads=1),
    )


def _two_threads(run: Run) -> Iterator[Ratio | None]:
    for length in LENGTHS:
        ours = run.one("latency", peer="ours-int8", length=length, threads=2)
        others = [result for result in run.find("latency", length=length) if not result.peer.startswith("ours")]
        yield ratio(f"{length} tokens, 2 threads, best peer on 1 or 2 threads", ours, best(others))
        for peer in INT8_PEERS:
            both = [result for result in others if result.peer == peer]
            yield ratio(f"int8, {length} tokens, 2 threads, peer on 1 or 2 threads", ours, best(both))
        alone = run.one("latency", peer="ours-int8", length=length, threads=1)
        yield ratio(f"our scaling from 1 to 2 threads, {length} tokens", ours, alone)


def _others(run: Run) -> Iterator[Ratio | None]:
    for title, length, *sides in FAMILY:
        ours, other = (run.one("family", peer=peer, model=model, length=length) for peer, model in sides)
        yield ratio(f"{title}, {length} tokens, 1 thread", ours, other)


def _texts(run: Run) -> Ratio | None:
    found = run.find("texts")
    ours = best([result for result in found if result.peer == "ours-int8"])
    other = best([result for result in found if not result.peer.startswith("ours")])
    threads = max((result.threads for result in found), default=0)
    return ratio(f"64 texts of 5 to 60 tokens, {threads} threads, each in its best configuration", ours, other)
