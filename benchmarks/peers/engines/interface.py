"""The interface of an engine: it loads a file and binds texts to a call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Ids = Sequence[Sequence[int]]
Call = Callable[[], Any]


class Engine(Protocol):
    """One loaded model."""

    def __init__(self, file: str, threads: int, options: dict[str, Any]) -> None: ...

    def bind(self, texts: Ids, length: int | None, masked: bool) -> Call:
        """A call that runs these texts and returns their last hidden states: [B, S, H], or a list of [S_b, H].

        Everything that need not be timed is done here: arrays, types, padding to `length` (None: to the longest).
        masked: whether the model takes a mask.
        """
        ...


def padded(texts: Ids, length: int | None, dtype: Any = np.int64) -> tuple[NDArray[Any], NDArray[Any]]:
    """Ids and mask [B, S], 0 in the padding."""
    width = max(map(len, texts)) if length is None else length
    ids = np.zeros((len(texts), width), dtype)
    mask = np.zeros((len(texts), width), dtype)
    for row, text in enumerate(texts):
        ids[row, : len(text)] = text
        mask[row, : len(text)] = 1
    return ids, mask
