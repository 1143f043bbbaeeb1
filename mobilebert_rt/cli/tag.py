"""Find names, places and the like in texts, with a token classification model.

Offsets count characters of the text; --aggregation says how tokens join to entities.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from itertools import tee

from mobilebert_rt.cli import options, streams
from mobilebert_rt.text import TokenClassifier


def configure(parser: argparse.ArgumentParser) -> None:
    options.add_model(parser, offer_default=False)
    options.add_texts(parser)
    options.add_text_limits(parser)
    parser.add_argument(
        "--aggregation",
        choices=("none", "simple", "first", "max"),
        default="simple",
        help="each token alone; neighbours of one type joined (default); words settled before that, "
        "by their first token or by their surest",
    )
    options.add_json(parser, 'a JSON object a line: {"text", "entities": [{"text", "label", "score", "start", "end"}]}')
    options.add_quiet(parser)
    options.example(
        parser,
        'mbrt tag ner.safetensors "Ada Lovelace lived in London."',
        "mbrt tag ner.safetensors --file letters.txt --on-overflow stride --json",
    )


def run(args: argparse.Namespace) -> int:
    texts, shown = tee(streams.texts_of(args))
    tagger = TokenClassifier.from_pretrained(args.model, **options.task_options(args))
    results = tagger.stream(texts, aggregation=args.aggregation, progress=options.progress(args))
    for number, (text, entities) in enumerate(zip(shown, results, strict=False), start=1):
        if args.json:
            streams.write_json({"text": text, "entities": [asdict(entity) for entity in entities]})
            continue
        for found in entities:
            where = f"{number}:{found.start}-{found.end}"
            print(f"{where:<14} {found.label:<12} {found.score:7.4f}  {streams.one_line(found.text)}")
    return 0
