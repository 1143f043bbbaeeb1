"""Label texts, or pairs of texts, with a sequence classification model.

Scores are probabilities (softmax, or one by one for multi-label models); a regression model gives its number.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import asdict
from itertools import tee

from mobilebert_rt.cli import options, streams
from mobilebert_rt.text import TextClassifier
from mobilebert_rt.text.tokenizer import Text


def configure(parser: argparse.ArgumentParser) -> None:
    options.add_model(parser, offer_default=False)
    options.add_texts(parser)
    options.add_text_limits(parser)
    parser.add_argument("--pairs", action="store_true", help="arguments two by two, or lines TEXT<tab>TEXT")
    parser.add_argument("-k", "--top-k", type=int, metavar="N", help="labels shown (default: 1; all with --json)")
    options.add_json(parser, 'a JSON object a line: {"text", "labels": [{"label", "score"}]}')
    options.add_quiet(parser)
    options.example(
        parser,
        'mbrt classify sst2.safetensors "a warm, funny film"',
        'mbrt classify mrpc.safetensors --pairs "He left." "He went away."',
        "mbrt classify sst2.safetensors --file reviews.txt --on-overflow truncate --json",
    )


def run(args: argparse.Namespace) -> int:
    if args.top_k is not None:
        options.checked_positive(args.top_k, "--top-k")
    given: Iterable[Text] = streams.texts_of(args)
    if args.pairs:
        given = streams.pairs_of((text for text in given if isinstance(text, str)), bool(args.texts))
    texts, shown = tee(given)
    classifier = TextClassifier.from_pretrained(args.model, **options.task_options(args))
    top_k = args.top_k if args.json else args.top_k or 1
    results = classifier.stream(texts, top_k=top_k, progress=options.progress(args))
    for text, labels in zip(shown, results, strict=False):
        if args.json:
            streams.write_json({"text": text, "labels": [asdict(label) for label in labels]})
            continue
        source = streams.one_line(text if isinstance(text, str) else " | ".join(text))
        for found in labels:
            print(f"{found.label:<12} {found.score:9.4f}  {source}")
    return 0
