"""What a worker repeats: batches bound to loaded engines, run one after another or by several threads."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.engines.interface import Call, Engine, Ids

Make = Callable[[str, int], Engine]  # of a file, for one of the copies


class NoFileError(ValueError):
    """None of the model's files can read a batch."""


@dataclass(frozen=True)
class ModelFile:
    """A converted model. length: the only one that it takes, None for any; masked: whether it takes a mask."""

    path: str
    length: int | None = None
    masked: bool = False


def choose(files: Sequence[ModelFile], texts: Ids) -> ModelFile:
    """The file that wastes least: without a mask if nothing is padded, else the shortest that holds the texts."""
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
    """One call runs all batches; `copies` threads share them out, each with engines of its own."""

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
        # Whoever is free takes the next batch; the longest come first, so that nobody ends up waiting for one.
        queue = itertools.count()
        last = len(self._batches) - 1

        def work(calls: list[Call]) -> None:
            while (i := next(queue)) <= last:
                calls[last - i]()

        for done in [self._pool.submit(work, calls) for calls in self._copies]:
            done.result()

    def states(self) -> list[NDArray[np.float32]]:
        """The last hidden states of every text without its padding, in the order of the batches."""
        found: list[NDArray[np.float32]] = []
        for texts, call in zip(self._batches, self._copies[0], strict=True):
            out: Any = call()
            found.extend(np.array(out[row][: len(text)], np.float32) for row, text in enumerate(texts))
        return found


def model_files(found: Sequence[Mapping[str, Any]]) -> list[ModelFile]:
    """From JSON."""
    return [ModelFile(**entry) for entry in found]
