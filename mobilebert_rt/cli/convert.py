"""Write a Hugging Face folder as one model file: configuration, packed weights, tokenizer and labels.

The file loads at once (it is mapped, not read) and runs on every CPU with the same results.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mobilebert_rt.cli import options, streams
from mobilebert_rt.conversion import convert
from mobilebert_rt.errors import InputError
from mobilebert_rt.text.progress import Bar, progress_bar


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="SOURCE", help="folder with config.json, model.safetensors, tokenizer")
    parser.add_argument("target", metavar="TARGET", help="the file to write, such as model.safetensors")
    parser.add_argument("--precision", choices=("int8", "fp32"), default="int8", help="of the weights (default: int8)")
    parser.add_argument("--force", action="store_true", help="replace TARGET if it exists")
    options.add_json(parser, 'a JSON object: {"source", "target", "precision", "bytes"}')
    options.add_quiet(parser)
    options.example(parser, "mbrt convert ./mobilebert-sst2 sst2.safetensors", "mbrt inspect sst2.safetensors")


def run(args: argparse.Namespace) -> int:
    source, target = Path(args.source), Path(args.target)
    if not source.is_dir():
        raise InputError(f"{source} is not a folder; it should hold config.json and model.safetensors.")
    if target.exists() and not args.force:
        raise InputError(f"{target} exists already; --force replaces it.")
    steps = _Steps(options.progress(args))
    try:
        convert(source, target, precision=args.precision, force=args.force, progress=steps)
    finally:
        steps.close()
    size = target.stat().st_size
    if args.json:
        streams.write_document(
            {"source": str(source), "target": str(target), "precision": args.precision, "bytes": size}
        )
    else:
        print(f"{target}: {args.precision}, {streams.megabytes(size)}")
    return 0


class _Steps:
    """A progress bar behind `convert`'s callback, which tells the number of steps only when it calls."""

    def __init__(self, shown: bool | None) -> None:
        self._shown = shown
        self._bar: Bar | None = None

    def __call__(self, what: str, done: int, total: int) -> None:
        self._bar = self._bar or progress_bar(total, self._shown, unit="steps")
        self._bar.update(1)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()
