"""Propose words for each [MASK] of a text, with a masked language model."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from itertools import tee

from mobilebert_rt.cli import options, streams
from mobilebert_rt.text import FillMask


def configure(parser: argparse.ArgumentParser) -> None:
    options.add_model(parser, offer_default=False)
    options.add_texts(parser)
    options.add_text_limits(parser)
    parser.add_argument("-k", "--top-k", type=int, default=5, metavar="N", help="proposals a mask (default: 5)")
    options.add_json(parser, 'a JSON object a line: {"text", "masks": [[{"token", "token_id", "score", "sequence"}]]}')
    options.add_quiet(parser)
    options.example(
        parser,
        'mbrt fill mobilebert.safetensors "Paris is the [MASK] of France."',
        'echo "The [MASK] barked." | mbrt fill mobilebert.safetensors --top-k 3 --json',
    )


def run(args: argparse.Namespace) -> int:
    options.checked_positive(args.top_k, "--top-k")
    texts, shown = tee(streams.texts_of(args))
    fill = FillMask.from_pretrained(args.model, **options.task_options(args))
    results = fill.stream(texts, top_k=args.top_k, progress=options.progress(args))
    for text, masks in zip(shown, results, strict=False):
        if args.json:
            streams.write_json({"text": text, "masks": [[asdict(found) for found in mask] for mask in masks]})
            continue
        for number, mask in enumerate(masks, start=1):
            for found in mask:
                prefix = f"{number}: " if len(masks) > 1 else ""
                print(f"{prefix}{found.score:7.4f}  {found.token:<14} {streams.one_line(found.sequence)}")
    return 0
