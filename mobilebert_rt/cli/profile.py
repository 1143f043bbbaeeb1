"""Show the time of a call by operation or by layer, as a table or a trace.

Each line is an operation over all layers, or a layer over all operations: number of calls, milliseconds, share of
the call, multiply-accumulates per second, their share of the peak of this processor's multiply instruction (measured
in the same run), and GB/s of weights. Times are medians over the repeats. The last lines show the cost of profiling.
Sequences are random ids.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from mobilebert_rt.cli import output
from mobilebert_rt.cli.command import Arguments, Command
from mobilebert_rt.cli.options import COUNT, ISA, MODEL, PRECISION, SEED
from mobilebert_rt.cli.sequences import random_ids
from mobilebert_rt.model import Model


def run(args: argparse.Namespace) -> int:
    model = Model.from_pretrained(args.model, args.precision, args.threads, args.isa)
    profile = model.profile(random_ids(model, args.batch, args.tokens, args.seed, "--tokens"), repeats=args.repeats)
    if args.trace:
        Path(args.trace).write_text(json.dumps(profile.trace(), allow_nan=False), encoding="utf-8")
        print(f"wrote {args.trace}", file=sys.stderr)
    if args.json:
        output.write_json(profile.to_dict())
    else:
        print(profile.table(args.by))
    return 0


ARGUMENTS: Arguments = {
    "--tokens": COUNT | {"default": 128, "help": "tokens per sequence (default: 128)"},
    "--batch": COUNT | {"default": 1, "help": "sequences per call (default: 1)"},
    "--threads": COUNT | {"default": 1, "help": "threads per call (default: 1)"},
    "--repeats": COUNT | {"default": 20, "help": "number of profiled calls (default: 20)"},
    "--by": {
        "choices": ("operation", "layer"),
        "default": "operation",
        "help": "lines of the table (default: operation)",
    },
    "--trace": {"metavar": "FILE", "help": "write the fastest call for ui.perfetto.dev, chrome://tracing"},
}
COMMAND = Command(
    __doc__,
    "one JSON object instead of the table: operations, layers, and every part of both",
    (
        "mbrt profile default --tokens 32",
        "mbrt profile sst2.safetensors --by layer --threads 2",
        "mbrt profile ./mobilebert-sst2 --trace trace.json",
    ),
    MODEL | ARGUMENTS | ISA | PRECISION | SEED,
    run,
)
