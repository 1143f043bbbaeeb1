"""Token ids for the commands that run the model itself: random ones, or those of texts."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from mobilebert_rt.cli.command import UsageError
from mobilebert_rt.model import Model
from mobilebert_rt.text import TextEmbedder


def random_ids(model: Model, count: int, length: int, seed: int, option: str) -> list[list[int]]:
    """`count` rows of `length` ids. option: what gave the length, for the message."""
    longest = model.config.max_positions
    if length > longest:
        raise UsageError(f"{option}: found {length}; expected at most {longest}, the model's limit.")
    ids: list[list[int]] = np.random.default_rng(seed).integers(0, model.config.vocab_size, (count, length)).tolist()
    return ids


def text_ids(
    model: Model, texts: Iterable[str], tokenizer: str | None, truncate: bool
) -> list[tuple[list[int], list[int]]]:
    """Ids and token types of each text. truncate: cut what is too long for the model, which is an error otherwise."""
    embedder = TextEmbedder(
        model,
        tokenizer=tokenizer,
        max_length=model.config.max_positions,
        on_overflow="truncate" if truncate else "error",
    )
    return embedder.sequences(texts)
