"""What a worker times: batches bound to loaded engines, run sequentially or by several threads."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.engines.interface import Call, Engine


class Program:
    """One call runs all batches, on `copies` threads with engines of their own.

    A batch: `texts`, and the `path` of a model file, its fixed `length` (None: any), and whether it is `masked`.
    """

    def __init__(self, batches: Sequence[Mapping[str, Any]], copies: int, load: Callable[[str], Engine]) -> None:
        self._batches = batches
        self._copies = [self._bind(load) for _ in range(copies)]
        self._pool = ThreadPoolExecutor(copies) if copies > 1 else None

    def _bind(self, load: Callable[[str], Engine]) -> list[Call]:
        engines = {path: load(path) for path in dict.fromkeys(batch["path"] for batch in self._batches)}
        return [engines[b["path"]].bind(b["texts"], b["length"], b["masked"]) for b in self._batches]

    def __call__(self) -> None:
        if self._pool is None:
            for call in self._copies[0]:
                call()
            return
        # A free thread takes the next batch, the longest first, so that no thread waits long at the end.
        queue = itertools.count()
        last = len(self._batches) - 1

        def work(calls: list[Call]) -> None:
            while (i := next(queue)) <= last:
                calls[last - i]()

        for done in [self._pool.submit(work, calls) for calls in self._copies]:
            done.result()

    def states(self) -> list[NDArray[np.float32]]:
        """The last hidden states of every text without padding, in the order of the batches."""
        found: list[NDArray[np.float32]] = []
        for batch, call in zip(self._batches, self._copies[0], strict=True):
            out: Any = call()
            found.extend(np.array(out[row][: len(text)], np.float32) for row, text in enumerate(batch["texts"]))
        return found
