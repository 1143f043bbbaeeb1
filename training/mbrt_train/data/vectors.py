"""Vectors of a teacher, one for each document of a text, in a file of numpy's format (.npy)."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mbrt_train.data import texts
from mbrt_train.data.corpus import Corpus
from mbrt_train.errors import TrainingError
from mbrt_train.progress import Progress
from mobilebert_rt import MobileBertError, TextEmbedder

Floats = NDArray[np.float32]
GROUP = 4096  # documents between two writes
SAMPLE = 1 << 14  # documents that the projection is computed from


class Vectors:
    """A file's vectors, unit length, brought to the student's width.

    Row i of the file belongs to document i: the documents of the sources in their order, as `mbrt-train vectors` writes
    them and `prepare --whole` counts them. float16 or float32. Vectors wider than the student's are projected on their
    principal axes, which changes cosines least; narrower ones are filled with zeros, which does not change them.
    Raises TrainingError for a file that is damaged or belongs to another text.
    """

    def __init__(self, file: Path, corpus: Corpus, width: int) -> None:
        self.file, self.width = file, width
        self._stored = _open(file)
        if not corpus.manifest["whole"]:
            raise TrainingError(
                f"{corpus.folder}: prepared in segments; expected one for each document. Prepare it with --whole."
            )
        documents = corpus.manifest["documents"]
        if len(self._stored) != documents:
            raise TrainingError(
                f"{file} has {len(self._stored):,} vectors; {corpus.folder} has {documents:,} documents. Compute the "
                "vectors of the same sources, with the same --lines and --field."
            )
        self._axes = None if self._stored.shape[1] <= width else self._principal_axes()

    def of(self, documents: NDArray[np.int64]) -> Floats:
        """The vectors of these documents, [n, width]. Raises TrainingError for one that is zero or not finite."""
        found = self._unit(documents)
        if self._axes is not None:
            found = found @ self._axes
        return np.pad(found, ((0, 0), (0, self.width - found.shape[1])))

    def _unit(self, documents: NDArray[np.int64]) -> Floats:
        found = self._stored[documents].astype(np.float32)
        norms = np.linalg.norm(found, axis=1, keepdims=True)
        wrong = ~(np.isfinite(norms[:, 0]) & (norms[:, 0] > 0))
        if wrong.any():
            raise TrainingError(
                f"{self.file}: the vector of document {documents[wrong][0]} is zero or not finite. Compute it again."
            )
        unit: Floats = found / norms
        return unit

    def _principal_axes(self) -> Floats:
        """Eigenvectors [stored width, width] of the vectors' second moments, the largest first."""
        rows = np.unique(np.linspace(0, len(self._stored) - 1, SAMPLE).astype(np.int64))
        sample = self._unit(rows).astype(np.float64)
        _, vectors = np.linalg.eigh(sample.T @ sample)  # ascending
        return np.ascontiguousarray(vectors[:, ::-1][:, : self.width]).astype(np.float32)


def _open(file: Path) -> NDArray[Any]:
    if not file.is_file():
        raise TrainingError(f"{file} does not exist; expected a file of `mbrt-train vectors`, or one of numpy.save.")
    try:
        found: NDArray[Any] = np.load(file, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise TrainingError(f"{file}: not a file of numpy.save ({error}). Compute the vectors again.") from None
    if not isinstance(found, np.ndarray) or found.ndim != 2 or found.dtype not in (np.float16, np.float32):
        raise TrainingError(f"{file}: expected an array [documents, width] of float16 or float32.")
    return found


@dataclass(frozen=True)
class Request:
    """Options of `mbrt-train vectors`.

    max_length: tokens of a text, None for the model's limit. precision: the engine's, "fp32" or "int8".
    """

    model: Path
    sources: Sequence[Path]
    out: Path
    reading: texts.Reading = texts.PLAIN
    max_length: int | None = None
    precision: str = "fp32"


def write_vectors(request: Request, quiet: bool = False) -> tuple[int, int]:
    """Compute the vector of every document by the engine and write them in float16; returns the file's shape.

    An interrupted call goes on where it stopped. Raises TrainingError if the file exists, and for a text without a
    vector.
    """
    out = request.out
    if out.exists():
        raise TrainingError(f"{out} exists. Remove it or choose another name.")
    files = texts.find_sources(request.sources)
    documents = texts.Documents(files, request.reading)
    try:
        embedder = TextEmbedder.from_pretrained(
            request.model, precision=request.precision, max_length=request.max_length
        )
    except (MobileBertError, OSError) as error:
        raise TrainingError(f"{request.model}: {error}") from error
    total, width = sum(1 for _ in documents), embedder.dimension
    if not total:
        raise TrainingError(f"{files[0].parent}: no text in {len(files)} files.")
    partial, state = (out.with_name(f".{out.name}.{name}") for name in ("partial", "state"))
    identity: dict[str, Any] = {
        "model": request.model.name,
        "files": [[f.name, f.stat().st_size] for f in files],
        "shape": [total, width],
        "max_length": request.max_length,
        "precision": request.precision,
    }
    done = _done(state, identity) if partial.exists() else 0
    array = _array(partial, (total, width), fresh=done == 0)
    progress = Progress(total, "text", quiet, done=done, name="vectors")
    try:
        for group in texts.groups(islice(documents, done, None), GROUP):
            array[done : done + len(group)] = _unit16(embedder.encode(group), done)
            array.flush()
            done += len(group)
            _write_json(state, identity | {"done": done})
            progress.advance(len(group))
    finally:
        progress.close()
    partial.replace(out)
    state.unlink()
    return total, width


def _done(state: Path, identity: dict[str, Any]) -> int:
    """The number of rows that an interrupted call of the same kind wrote; 0 if it was of another kind."""
    try:
        found = json.loads(state.read_text())
        done = int(found.pop("done"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return 0
    return done if found == identity else 0


def _array(partial: Path, shape: tuple[int, int], fresh: bool) -> np.memmap[Any, np.dtype[np.float16]]:
    mode: Literal["w+", "r+"] = "w+" if fresh else "r+"
    return np.lib.format.open_memmap(partial, mode=mode, dtype=np.float16, shape=shape if fresh else None)


def _unit16(vectors: Any, first: int) -> NDArray[np.float16]:
    """Unit length in float16. Raises TrainingError if a vector has no direction, or another one after rounding."""
    exact = np.asarray(vectors, np.float32)
    norms = np.linalg.norm(exact, axis=1)
    unit = exact / np.where(norms > 0, norms, 1)[:, None]
    rounded = unit.astype(np.float16)
    back = rounded.astype(np.float32)
    cosines = (unit * back).sum(1) / np.maximum(np.linalg.norm(back, axis=1), 1e-30)
    wrong = ~(cosines > 1 - 1e-5)
    if wrong.any():
        raise TrainingError(
            f"document {first + int(np.argmax(wrong))}: the model gives no usable vector for this text."
        )
    return rounded


def _write_json(file: Path, value: dict[str, Any]) -> None:
    partial = file.with_name(f"{file.name}.{os.getpid()}")
    partial.write_text(json.dumps(value))
    partial.replace(file)
