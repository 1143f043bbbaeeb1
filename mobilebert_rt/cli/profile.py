"""Show where the time of a call goes: by operation or by layer, as a table or a trace.

Each line is an operation over all layers (or a layer over all operations): how often it ran in one call, its
milliseconds and share of the call, its multiply-accumulates a second, what share that is of the peak of this
processor's multiply instruction (measured in the same run), and the weights it read in GB/s. Times are medians
over the repeats. The last lines say what profiling itself cost. Sequences are random ids.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from mobilebert_rt.cli import options, streams
from mobilebert_rt.errors import InputError
from mobilebert_rt.model import Model


def configure(parser: argparse.ArgumentParser) -> None:
    options.add_model_path(parser)
    parser.add_argument("--tokens", type=int, default=128, metavar="N", help="of a sequence (default: 128)")
    parser.add_argument("--batch", type=int, default=1, metavar="N", help="sequences of a call (default: 1)")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads of a call (default: 1)")
    parser.add_argument("--isa", metavar="NAME", help="kernel set, one of those that `mbrt info` lists")
    parser.add_argument(
        "--precision", choices=("int8", "fp32"), help="what a folder is converted to in memory (default: int8)"
    )
    parser.add_argument("--repeats", type=int, default=20, metavar="N", help="profiled calls (default: 20)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the random ids (default: 0)")
    parser.add_argument("--by", choices=("operation", "layer"), default="operation", help="lines of the table")
    parser.add_argument("--trace", metavar="FILE", help="write the fastest call for ui.perfetto.dev, chrome://tracing")
    options.add_json(parser, "a JSON object instead of the table: operations, layers, and every part of both")
    options.example(
        parser,
        "mbrt profile default --tokens 32",
        "mbrt profile sst2.safetensors --by layer --threads 2",
        "mbrt profile ./mobilebert-sst2 --trace trace.json",
    )


def run(args: argparse.Namespace) -> int:
    for option in ("tokens", "batch", "repeats"):
        options.checked_positive(getattr(args, option), f"--{option}")
    model = Model.from_pretrained(args.model, args.precision, args.threads, args.isa)
    longest = model.config.max_positions
    if args.tokens > longest:
        raise InputError(f"--tokens is {args.tokens}; {model.path} takes at most {longest}.")
    random = np.random.default_rng(args.seed)
    ids = random.integers(0, model.config.vocab_size, (args.batch, args.tokens))
    profile = model.profile(ids, repeats=args.repeats)
    if args.trace:
        _write(args.trace, json.dumps(profile.trace(), allow_nan=False))
    if args.json:
        streams.write_document(profile.to_dict())
    else:
        print(profile.table(args.by))
    return 0


def _write(path: str, text: str) -> None:
    Path(path).write_text(text, encoding="utf-8")
    print(f"wrote {path}", file=sys.stderr)
