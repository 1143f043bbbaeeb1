"""What a worker times: batches bound to loaded engines, run sequentially or by several threads."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.engines.interface import Call, Engine, Ids

Make = Callable[[str, int], Engine]  # (path, number of the copy)


class NoFileError(ValueError):
    """No model file takes a batch."""


@dataclass(frozen=True)
class ModelFile:
    """A converted model. length: its fixed length, None for any; masked: whether it takes a mask."""

    path: str
    length: int | None = None
    masked: bool = False


def choose(files: Sequence[ModelFile], texts: Ids) -> ModelFile:
    """The cheapest file: without a mask if there is no padding, else the shortest that fits the texts."""
    lengths = {len(text) for text in texts}
    longest = max(lengths)
    for file in files:
        if not file.masked and len(lengths) == 1 and file.length in (None, longest):
            return file
    fitting = [file for file in files if file.masked and (file.length is None or file.length >= longest)]
    if not fitting:
        raise NoFileError(f"no file takes {len(texts)} texts of up to {longest} tokens")
    return min(fitting, key=lambda file: file.length or 0)


class Program:
    """One call runs all batches, on `copies` threads with engines of their own."""

    def __init__(self, files: Sequence[ModelFile], batches: Sequence[Ids], copies: int, make: Make) -> None:
        self._batches = batches
        self._copies = [self._bind(files, make, copy) for copy in range(copies)]
        self._pool = ThreadPoolExecutor(copies) if copies > 1 else None

    def _bind(self, files: Sequence[ModelFile], make: Make, copy: int) -> list[Call]:
        engines: dict[str, Engine] = {}
        calls: list[Call] = []
        for texts in self._batches:
            file = choose(files, texts)
            if file.path not in engines:
                engines[file.path] = make(file.path, copy)
            calls.append(engines[file.path].bind(texts, file.length, file.masked))
        return calls

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
        for texts, call in zip(self._batches, self._copies[0], strict=True):
            out: Any = call()
            found.extend(np.array(out[row][: len(text)], np.float32) for row, text in enumerate(texts))
        return found


def model_files(found: Sequence[Mapping[str, Any]]) -> list[ModelFile]:
    """From JSON."""
    return [ModelFile(**entry) for entry in found]
