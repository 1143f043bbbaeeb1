"""Short texts on several threads compared with one: python -m benchmarks.threads --help."""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from benchmarks.common.machine import allowed_cpus, describe
from benchmarks.common.markdown import table
from benchmarks.common.options import say
from mobilebert_rt import Model
from scripts.common import exit_with, make_parser

DESCRIPTION = """\
The time of a call on several threads, relative to one thread, for one text of each length.

Both take turns in one process: each runs for some milliseconds in each round, after a call that does not count. Medians
of all calls. Where the engine uses one thread by itself, the ratio is 1.
"""


def lengths(text: str) -> list[int]:
    """1-64 or 1,8,32."""
    first, dash, last = text.partition("-")
    try:
        found = list(range(int(first), int(last) + 1)) if dash else [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}; expected lengths such as 1-64 or 1,8,32")
    return found


def parser() -> argparse.ArgumentParser:
    found = make_parser(DESCRIPTION, prog="benchmarks.threads")
    add = found.add_argument
    add("models", nargs="*", default=["default"], metavar="MODEL", help='model files (the default: "default")')
    add("--threads", type=int, default=2, metavar="N", help="threads, besides one (%(default)s)")
    add("--lengths", type=lengths, default=lengths("1-64"), metavar="LIST", help="tokens: 1-64 (the default) or 1,8,32")
    add("--rounds", type=int, default=6, metavar="N", help="turns of each (%(default)s)")
    add("--turn-ms", type=float, default=30.0, metavar="MS", help="time of a turn (%(default)g)")
    add("--busy", type=int, default=0, metavar="N", help="run N processes beside it that never rest (%(default)s)")
    add("--json", type=Path, metavar="FILE", help="write the medians as JSON")
    return found


@contextmanager
def busy(processes: int) -> Iterator[None]:
    """Processes that never rest, where the system places them."""
    running = [subprocess.Popen((sys.executable, "-c", "while True: pass")) for _ in range(processes)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def measure(models: Sequence[Model], length: int, rounds: int, turn: float) -> list[float]:
    """Median seconds of a call of each model."""
    ids = [np.random.default_rng(length).integers(0, models[0].config.vocab_size, length).tolist()]
    seconds: list[list[float]] = [[] for _ in models]
    for _ in range(rounds):
        for i in random.sample(range(len(models)), len(models)):
            models[i](ids)
            end = time.perf_counter() + turn
            while (began := time.perf_counter()) < end:
                models[i](ids)
                seconds[i].append(time.perf_counter() - began)
    return [statistics.median(one) for one in seconds]


def main(arguments: Sequence[str] | None = None) -> int:
    options = parser().parse_args(arguments)
    machine = describe(allowed_cpus())
    rows, results = [], []
    with busy(options.busy):
        models = {
            name: [Model.from_pretrained(name, num_threads=n) for n in (1, options.threads)] for name in options.models
        }
        for length in options.lengths:
            row = [str(length)]
            for name, pair in models.items():
                alone, shared = measure(pair, length, options.rounds, options.turn_ms / 1e3)
                row += [f"{1e3 * alone:.3f}", f"{shared / alone:.2f}"]
                results.append({"model": name, "tokens": length, "seconds": {"1": alone, str(options.threads): shared}})
            rows.append(row)
            say("  ".join(row))
    header = ["tokens"]
    for name in models:
        header += [f"{Path(name).stem}, ms", f"{options.threads} threads"]
    print(f"{machine['processor']}, load average {machine['load_average'][0]}, {options.busy} busy processes beside it")
    print(table(header, rows))
    if options.json:
        options.json.write_text(json.dumps({"machine": machine, "busy": options.busy, "results": results}, indent=1))
    return 0


if __name__ == "__main__":
    exit_with(main)
