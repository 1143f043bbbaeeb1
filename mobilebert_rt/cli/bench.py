"""Measure latency, throughput, load time and memory for combinations of lengths, batch sizes and threads.

Each line is one combination: percentiles of the call time in milliseconds, tokens per second at the mean call time,
and the peak memory of the process. Load time and the first call are measured once per precision and thread count.
Sequences are random ids, or the lines of --text.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from mobilebert_rt.cli import info, streams
from mobilebert_rt.cli.command import Arguments, Command
from mobilebert_rt.cli.measure import measure, peak_memory, reset_peak_memory, time_of
from mobilebert_rt.cli.options import (
    COUNT,
    COUNTS,
    ISA,
    MODEL_OR_DEFAULT,
    PATH,
    QUIET,
    SECONDS,
    SEED,
    SIZE,
    TOKENIZER,
    progress,
)
from mobilebert_rt.cli.sequences import random_ids, text_ids
from mobilebert_rt.errors import InputError
from mobilebert_rt.model import Model
from mobilebert_rt.text.progress import progress_bar


@dataclass(frozen=True, slots=True)
class Case:
    """The batch of one line. length: tokens per sequence, None for texts; batch: id rows of any length."""

    batch_size: int
    length: int | None
    batch: list[list[int]]


def run(args: argparse.Namespace) -> int:
    precisions = args.precision.split(",") if args.precision else [None]
    loads = list(itertools.product(precisions, args.threads))
    cases = len(args.batch_sizes) * (1 if args.text else len(args.lengths))
    bar = progress_bar(len(loads) * cases, progress(args), unit="lines")
    lines = []
    try:
        for precision, threads in loads:
            for line in _measure_model(args, precision, threads):
                lines.append(line)
                bar.update(1)
    finally:
        bar.close()
    machine = info.describe()
    if args.json:
        chosen = {name: getattr(args, name) for name in ("warmup", "repeats", "seconds", "seed")}
        streams.write_json({"machine": machine, "options": chosen, "lines": lines}, indent=2)
    else:
        print(_as_text(machine, lines))
    return 0


def _measure_model(args: argparse.Namespace, precision: str | None, threads: int | None) -> Iterator[dict[str, Any]]:
    """The lines of one loaded model."""
    loaded: list[Model] = []
    load_ms = time_of(lambda: loaded.append(Model.from_pretrained(args.model, precision, threads, args.isa)))
    model = loaded[0]
    cases, tokenize_ms = (_text_cases if args.text else _random_cases)(args, model)
    first_call_ms = time_of(lambda: model(cases[0].batch))
    for case in cases:
        model.trim()
        peak_is_of_line = reset_peak_memory()
        timing = measure(partial(model, case.batch), warmup=args.warmup, repeats=args.repeats, seconds=args.seconds)
        tokens = sum(map(len, case.batch))
        yield {
            "precision": model.config.precision,
            "isa": model.isa,
            "threads": model.num_threads,
            "batch_size": case.batch_size,
            "length": case.length,
            "tokens": tokens,
            "ms": asdict(timing),
            "tokens_per_second": tokens / timing.mean * 1e3,
            "sequences_per_second": case.batch_size / timing.mean * 1e3,
            "load_ms": load_ms,
            "first_call_ms": first_call_ms,
            "tokenize_ms": tokenize_ms,
            "peak_bytes": peak_memory(),
            "peak_is_of_line": peak_is_of_line,
            "model_bytes": model.memory,
        }


def _random_cases(args: argparse.Namespace, model: Model) -> tuple[list[Case], float | None]:
    ids = random_ids(model, max(args.batch_sizes), max(args.lengths), args.seed, "--lengths")
    sizes = itertools.product(args.batch_sizes, args.lengths)
    return [Case(size, length, [row[:length] for row in ids[:size]]) for size, length in sizes], None


def _text_cases(args: argparse.Namespace, model: Model) -> tuple[list[Case], float | None]:
    """Batches of the file's first lines, from the start again when they are few, and ms to tokenise a text."""
    lines = [line for line in streams.lines_of(args.text) if line.strip()]
    if not lines:
        raise InputError(f"{args.text}: found no text; expected one text per line.")
    texts = list(itertools.islice(itertools.cycle(lines), max(args.batch_sizes)))
    tokenize = partial(text_ids, model, texts, args.tokenizer, truncate=True)
    rows = [ids for ids, _ in tokenize()]
    spent = measure(tokenize, warmup=1, repeats=10, seconds=1.0)
    return [Case(size, None, rows[:size]) for size in args.batch_sizes], spent.p50 / len(texts)


def _as_text(machine: dict[str, Any], lines: list[dict[str, Any]]) -> str:
    first = lines[0]
    notes = [f"{machine['cpu']}, {first['isa']}, mobilebert_rt {machine['version']}"]
    if first["tokenize_ms"] is not None:
        notes.append(f"tokenisation: {first['tokenize_ms']:.3f} ms per text, not part of the calls")
    if not first["peak_is_of_line"]:
        notes.append("peak MB: of the process so far, not of the line")
    header = ["precision", "threads", "batch", "tokens", "p50 ms", "p90 ms", "p99 ms", "tokens/s"]
    rows = [
        [
            line["precision"],
            str(line["threads"]),
            str(line["batch_size"]),
            f"{line['tokens']:,}",
            *(f"{line['ms'][name]:.3f}" for name in ("p50", "p90", "p99")),
            f"{line['tokens_per_second']:,.0f}",
            f"{line['load_ms']:.1f}",
            f"{line['first_call_ms']:.1f}",
            "-" if line["peak_bytes"] is None else f"{line['peak_bytes'] / 1e6:.1f}",
        ]
        for line in lines
    ]
    return "\n".join([*notes, streams.table([*header, "load ms", "first ms", "peak MB"], rows)])


ARGUMENTS: Arguments = {
    "--lengths": COUNTS | {"default": [8, 32, 128], "help": "tokens per sequence (default: 8,32,128)"},
    "--batch-sizes": COUNTS | {"default": [1], "help": "sequences per call (default: 1)"},
    "--threads": COUNTS | {"default": [None], "help": "threads per call (default: all usable cores)"},
    "--precision": {"metavar": "LIST", "help": "int8, fp32, or both of a folder: int8,fp32"},
    "--text": PATH | {"help": "batches of this file's lines instead of random ids"},
    "--warmup": SIZE | {"default": 3, "help": "untimed calls (default: 3)"},
    "--repeats": COUNT | {"default": 100, "help": "maximum number of timed calls (default: 100)"},
    "--seconds": SECONDS | {"default": 5.0, "help": "maximum time per line (default: 5)"},
}
COMMANDS = {
    "bench": Command(
        __doc__,
        "one JSON object: machine, options, and the lines with all numbers",
        (
            "mbrt bench default --lengths 8,32,128 --threads 1,2",
            "mbrt bench ./mobilebert-sst2 --precision int8,fp32 --batch-sizes 1,16 --json",
            "mbrt bench sst2.safetensors --text reviews.txt --batch-sizes 1,8,32",
        ),
        MODEL_OR_DEFAULT | ARGUMENTS | ISA | TOKENIZER | SEED | QUIET,
        run,
    )
}
