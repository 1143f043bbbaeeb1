"""Token ids for the commands that run the model itself: random ones, or those of texts."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mobilebert_rt.cli import UsageError
from mobilebert_rt.errors import InputError
from mobilebert_rt.model import Model
from mobilebert_rt.text import TextEmbedder


def random_ids(model: Model, count: int, length: int, seed: int, option: str) -> list[list[int]]:
    """`count` rows of `length` ids. option: what gave the length, for the message."""
    longest = model.config.max_positions
    if length > longest:
        raise UsageError(f"{option}: found {length}; expected at most {longest}, the model's limit.")
    ids: list[list[int]] = np.random.default_rng(seed).integers(0, model.config.vocab_size, (count, length)).tolist()
    return ids


def texts_of(args: argparse.Namespace) -> list[str]:
    """The TEXT arguments, or the lines of --file; they end at LF or CRLF."""
    if args.texts and args.file:
        raise UsageError("--file: found TEXT arguments too. Give one of the two.")
    if args.texts:
        return list(args.texts)
    data = sys.stdin.buffer.read() if args.file == "-" else Path(args.file).read_bytes()
    try:
        lines = data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{args.file}: byte {error.start} is 0x{data[error.start]:02X}; expected UTF-8 text."
        ) from None
    return [line.removesuffix("\r") for line in (lines if lines[-1] else lines[:-1])]


def text_ids(
    model: Model, texts: Sequence[str], tokenizer: str | None, truncate: bool
) -> list[tuple[list[int], list[int]]]:
    """Ids and token types of each text. truncate: cut what is too long for the model, which is an error otherwise."""
    limit = model.config.max_positions
    embedder = TextEmbedder(model, tokenizer=tokenizer, max_length=limit, on_overflow="truncate")
    for number, encoding in enumerate([] if truncate else embedder.tokenizer.encode_batch(list(texts)), 1):
        if len(encoding.ids) > limit:
            raise InputError(f"text {number}: found {len(encoding.ids)} tokens; expected at most {limit}. Shorten it.")
    return embedder.sequences(list(texts))
