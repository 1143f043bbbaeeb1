"""MobileBERT in int8 on one thread: this engine against ONNX Runtime, in one run.

python benchmarks/end_to_end/against_onnxruntime.py [--lengths 32,128,384] [--json]

Both run the same random weights and ids, one text at a time, on one processor, turn by turn; so both meet the same
clock and the same neighbours, and the ratio of their medians is the figure to quote. Times alone are not.
Needs the requirements of `pip install '.[parity,bench]'`; the first run exports the model, which takes minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np

# Behind everything else: the tree's mobilebert_rt may have no compiled engine, the installed one has.
sys.path.append(str(Path(__file__).resolve().parents[2]))

from benchmarks.end_to_end.onnxruntime_peer import OnnxRuntimeModel, quantised_onnx
from mobilebert_rt import Model, __version__
from mobilebert_rt.cli.measure import clock
from tests import random_mobilebert
from tests.small_models.folders import Array

SEED = 0
WARMUP = 5
AGREEMENT = 0.9  # mean cosine of the two engines' tokens: each is int8 in its own way, over 24 layers


@dataclass(frozen=True)
class Comparison:
    """Medians in milliseconds at one length; ratio: how many times faster this engine is."""

    length: int
    ours: float
    onnxruntime: float
    ratio: float
    rounds: int
    cosine: float


@contextmanager
def one_processor() -> Iterator[None]:
    """Keeps this thread, and threads that it starts, on one of the processors that it may use."""
    if not hasattr(os, "sched_setaffinity"):  # not Linux
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def compare(lengths: Sequence[int], rounds: int = 60, seconds: float = 20.0) -> Iterator[Comparison]:
    """One comparison a length, of at most so many rounds and seconds."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = random_mobilebert.folder(Path(scratch), SEED)
        path = quantised_onnx(folder)
        with one_processor():
            model = Model.from_pretrained(folder, precision="int8", num_threads=1)
            peer = OnnxRuntimeModel(path, threads=1)
            for length in lengths:
                ids = random_mobilebert.token_ids(1, length, model.config.vocab_size, seed=length)
                yield _turn_by_turn(model, peer, ids, rounds, seconds)


def _turn_by_turn(model: Model, peer: OnnxRuntimeModel, ids: Array, rounds: int, seconds: float) -> Comparison:
    cosine = mean_cosine(model(ids).last_hidden_state, peer(ids))
    if cosine < AGREEMENT:
        raise RuntimeError(f"the two engines disagree: mean cosine {cosine:.3f} at {ids.shape[1]} tokens")
    calls = (partial(model, ids), partial(peer, ids))
    for _ in range(WARMUP):
        for call in calls:
            call()
    times: tuple[list[int], list[int]] = ([], [])
    deadline = time.monotonic() + seconds
    while len(times[0]) < rounds and (len(times[0]) < 5 or time.monotonic() < deadline):
        first = len(times[0]) % 2
        for i in (first, 1 - first):
            times[i].append(clock(calls[i]))
    ours, theirs = (statistics.median(found) / 1e6 for found in times)
    return Comparison(ids.shape[1], ours, theirs, theirs / ours, len(times[0]), cosine)


def mean_cosine(a: Array, b: Array) -> float:
    a, b = a.astype(np.float64), b.astype(np.float64)
    norms = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return float(np.mean(np.sum(a * b, axis=-1) / norms))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lengths", default="128", metavar="LIST", help="tokens, such as 32,128,384")
    parser.add_argument("--rounds", type=int, default=60, metavar="N", help="calls of each, at most")
    parser.add_argument("--seconds", type=float, default=20.0, metavar="S", help="for each length, at most")
    parser.add_argument("--json", action="store_true", help="a JSON object instead of a table")
    options = parser.parse_args(arguments)
    lengths = [int(part) for part in options.lengths.split(",")]
    found = compare(lengths, options.rounds, options.seconds)
    if options.json:
        versions = {"mobilebert_rt": __version__, "onnxruntime": version("onnxruntime")}
        machine = {"machine": platform.machine(), "threads": 1, "versions": versions}
        print(json.dumps(machine | {"lengths": [asdict(row) for row in found]}, indent=2))
        return 0
    print("MobileBERT int8, batch 1, one thread: medians in ms, turn by turn")
    print(f"{'tokens':>8}{'this':>10}{'ORT':>10}{'ratio':>9}{'rounds':>9}{'cosine':>9}")
    for row in found:
        print(
            f"{row.length:>8}{row.ours:>10.2f}{row.onnxruntime:>10.2f}{row.ratio:>8.2f}x{row.rounds:>9}"
            f"{row.cosine:>9.4f}",
            flush=True,
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
