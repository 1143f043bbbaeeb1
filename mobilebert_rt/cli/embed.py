"""Turn texts into vectors, one a text.

Pooling and normalisation are what the model's sentence-transformers folder said; else the mean of all tokens.
"""

from __future__ import annotations

import argparse
from itertools import tee

import numpy as np

from mobilebert_rt.cli import options, streams
from mobilebert_rt.text import TextEmbedder
from mobilebert_rt.text.numeric import Floats


def configure(parser: argparse.ArgumentParser) -> None:
    options.add_model(parser)
    options.add_texts(parser)
    options.add_text_limits(parser, "what the model's folder said, or all it takes")
    parser.add_argument("--pooling", choices=("mean", "cls"), help="how tokens become one vector")
    parser.add_argument(
        "--normalize", action=argparse.BooleanOptionalAction, default=None, help="scale vectors to length 1"
    )
    parser.add_argument("-o", "--output", metavar="FILE.npy", help="write a float32 array [texts, width]")
    options.add_json(parser, 'a JSON object a line: {"text", "embedding"}')
    options.add_quiet(parser)
    options.example(
        parser,
        'mbrt embed default "a query" "a passage" --json',
        "mbrt embed minilm.safetensors --file passages.txt --output passages.npy",
    )


def run(args: argparse.Namespace) -> int:
    texts = streams.texts_of(args)
    embedder = TextEmbedder.from_pretrained(
        args.model, pooling=args.pooling, normalize=args.normalize, **options.task_options(args)
    )
    if args.output:
        _write_array(args.output, list(embedder.stream(texts, progress=options.progress(args))), embedder.dimension)
        return 0
    given, shown = tee(texts)
    for text, vector in zip(shown, embedder.stream(given, progress=options.progress(args)), strict=False):
        if args.json:
            # Nine digits tell every float32 from its neighbours.
            streams.write_json({"text": text, "embedding": [float(f"{x:.9g}") for x in vector.tolist()]})
        else:
            first = " ".join(f"{x:+.4f}" for x in vector[:4])
            length = float(np.sqrt(np.sum(np.square(vector, dtype=np.float64))))
            print(f"[{first} ...] width {len(vector)}, length {length:.4g}  {streams.one_line(text)}")
    return 0


def _write_array(path: str, rows: list[Floats], width: int) -> None:
    array = np.stack(rows) if rows else np.zeros((0, width), dtype=np.float32)
    with open(path, "wb") as file:  # np.save on a path would add .npy to other names
        np.save(file, array)
