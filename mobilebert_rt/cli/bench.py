"""Measure latency, throughput, load time and memory, over lists of lengths, batch sizes and threads.

Each line is one combination: p50, p90 and p99 of a call in milliseconds, tokens a second (by the mean call),
and the process's peak memory while it ran. Load time and the first call are measured once for each precision
and thread count. Sequences are random ids of the given lengths, or the lines of --text (then tokenisation is
timed too).
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mobilebert_rt.cli import info, measure, options, streams
from mobilebert_rt.errors import InputError
from mobilebert_rt.model import Model
from mobilebert_rt.text.progress import progress_bar

Batch = list[list[int]]


@dataclass(frozen=True, slots=True)
class Case:
    """One line of the sweep. length: tokens of a sequence, None for texts; batch: id rows of any length."""

    batch_size: int
    length: int | None
    batch: Batch

    @property
    def tokens(self) -> int:
        return sum(map(len, self.batch))


def configure(parser: argparse.ArgumentParser) -> None:
    options.add_model_path(parser)
    sweep = parser.add_argument_group("what is swept: lists such as 8,32,128")
    sweep.add_argument(
        "--lengths",
        type=options.positive_list("lengths"),
        default=[8, 32, 128],
        metavar="LIST",
        help="tokens of a sequence (default: 8,32,128)",
    )
    sweep.add_argument(
        "--batch-sizes",
        type=options.positive_list("sizes"),
        default=[1],
        metavar="LIST",
        help="sequences of a call (default: 1)",
    )
    sweep.add_argument(
        "--threads",
        type=options.positive_list("thread counts"),
        metavar="LIST",
        help="threads of a call (default: what this process may use)",
    )
    sweep.add_argument("--precision", metavar="LIST", help="int8, fp32 or both with a comma; both need a folder")
    sweep.add_argument("--text", metavar="PATH", help="batches of this file's lines instead of random ids")
    parser.add_argument("--isa", metavar="NAME", help="kernel set, one of those that `mbrt info` lists")
    options.add_tokenizer(parser)
    parser.add_argument("--warmup", type=int, default=3, metavar="N", help="untimed calls (default: 3)")
    parser.add_argument("--repeats", type=int, default=100, metavar="N", help="timed calls at most (default: 100)")
    parser.add_argument("--seconds", type=float, default=5.0, metavar="S", help="time a line at most (default: 5)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the random ids (default: 0)")
    options.add_json(parser, "a JSON object: the machine, the options, and the lines with all numbers")
    options.add_quiet(parser)
    options.example(
        parser,
        "mbrt bench default --lengths 8,32,128 --threads 1,2",
        "mbrt bench ./mobilebert-sst2 --precision int8,fp32 --batch-sizes 1,16 --json",
        "mbrt bench sst2.safetensors --text reviews.txt --batch-sizes 1,8,32",
    )


def run(args: argparse.Namespace) -> int:
    options.checked_positive(args.repeats, "--repeats")
    if args.warmup < 0 or not args.seconds > 0:
        raise InputError("--warmup should be 0 or more, --seconds more than 0.")
    precisions = args.precision.split(",") if args.precision else [None]
    lines = []
    loads = list(itertools.product(precisions, args.threads or [None]))
    cases = len(args.batch_sizes) * (1 if args.text else len(args.lengths))
    bar = progress_bar(len(loads) * cases, options.progress(args), unit="lines")
    try:
        for precision, threads in loads:
            for line in _measure(args, precision, threads):
                lines.append(line)
                bar.update(1)
    finally:
        bar.close()
    report = {
        "machine": info.describe(),
        "options": {
            "warmup": args.warmup,
            "repeats": args.repeats,
            "seconds": args.seconds,
            "seed": args.seed,
        },
        "lines": lines,
    }
    if args.json:
        streams.write_document(report)
    else:
        print(_as_text(report))
    return 0


def _measure(args: argparse.Namespace, precision: str | None, threads: int | None) -> Iterator[dict[str, Any]]:
    """The lines of one loaded model."""
    loaded: list[Model] = []
    load = measure.clock(lambda: loaded.append(Model.from_pretrained(args.model, precision, threads, args.isa)))
    model = loaded[0]
    cases, tokenize_ms = (_text_cases if args.text else _random_cases)(args, model)
    first = measure.clock(lambda: model(cases[0].batch))
    for case in cases:
        model.trim()
        resettable = measure.reset_peak_memory()
        timing = measure.repeat(
            partial(model, case.batch),
            warmup=args.warmup,
            repeats=args.repeats,
            seconds=args.seconds,
        )
        yield {
            "precision": model.config.precision,
            "isa": model.isa,
            "threads": model.num_threads,
            "batch_size": case.batch_size,
            "length": case.length,
            "tokens": case.tokens,
            "ms": asdict(timing),
            "tokens_per_second": case.tokens / timing.mean * 1e3,
            "sequences_per_second": case.batch_size / timing.mean * 1e3,
            "load_ms": load / measure.NANOSECONDS_A_MILLISECOND,
            "first_call_ms": first / measure.NANOSECONDS_A_MILLISECOND,
            "tokenize_ms": tokenize_ms,
            "peak_bytes": measure.peak_memory(),
            "peak_is_of_line": resettable,
            "model_bytes": model.memory,
        }


def _random_cases(args: argparse.Namespace, model: Model) -> tuple[list[Case], float | None]:
    longest = model.config.max_positions
    for length in args.lengths:
        if length > longest:
            raise InputError(f"--lengths has {length}; {model.path} takes at most {longest} tokens.")
    random = np.random.default_rng(args.seed)
    ids = random.integers(0, model.config.vocab_size, (max(args.batch_sizes), max(args.lengths))).tolist()
    return [
        Case(size, length, [row[:length] for row in ids[:size]]) for size in args.batch_sizes for length in args.lengths
    ], None


def _text_cases(args: argparse.Namespace, model: Model) -> tuple[list[Case], float | None]:
    """Batches of the file's first lines (from the start again when few), and ms to tokenise a text."""
    from mobilebert_rt.text.tokenizer import tokenizer_of  # noqa: PLC0415 - random ids need no tokenizer
    from mobilebert_rt.text.windows import Limits, encode_windows  # noqa: PLC0415

    lines = [line for line in streams.whole_text(args.text).splitlines() if line.strip()]
    if not lines:
        raise InputError(f"{Path(args.text)} has no text.")
    tokenizer = tokenizer_of(model, args.tokenizer)
    limits = Limits(model.config.max_positions, "truncate", 0)
    texts = list(itertools.islice(itertools.cycle(lines), max(args.batch_sizes)))
    windows = encode_windows(tokenizer, texts, limits)
    spent = measure.repeat(lambda: encode_windows(tokenizer, texts, limits), warmup=1, repeats=10, seconds=1.0)
    return [Case(size, None, [w.ids for w in windows[:size]]) for size in args.batch_sizes], spent.p50 / len(texts)


def _as_text(report: dict[str, Any]) -> str:
    machine = report["machine"]
    header = ["precision", "threads", "batch", "tokens", "p50 ms", "p90 ms", "p99 ms", "tokens/s", "load ms"]
    header += ["first ms", "peak MB"]
    rows = []
    for line in report["lines"]:
        ms, peak = line["ms"], line["peak_bytes"]
        rows.append(
            [
                line["precision"],
                str(line["threads"]),
                str(line["batch_size"]),
                f"{line['tokens']:,}",
                *(f"{ms[name]:.3f}" for name in ("p50", "p90", "p99")),
                f"{line['tokens_per_second']:,.0f}",
                f"{line['load_ms']:.1f}",
                f"{line['first_call_ms']:.1f}",
                "-" if peak is None else f"{peak / 1e6:,.1f}",
            ]
        )
    notes = [f"{machine['cpu']}, {report['lines'][0]['isa']}, mobilebert_rt {machine['version']}"]
    tokenize = report["lines"][0]["tokenize_ms"]
    if tokenize is not None:
        notes.append(f"tokenisation: {tokenize:.3f} ms a text, not part of the calls")
    if not report["lines"][0]["peak_is_of_line"]:
        notes.append("peak MB is that of the process so far, not of the line")
    return "\n".join([*notes, streams.table(header, rows)])
