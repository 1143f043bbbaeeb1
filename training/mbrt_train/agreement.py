"""How close a model's sentence vectors are to a teacher's, on held-out text."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mbrt_train.data.corpus import Corpus
from mbrt_train.data.tokenizer import load_tokenizer, pieces, vocabulary
from mbrt_train.data.vectors import Vectors
from mbrt_train.errors import TrainingError
from mbrt_train.sources import tokenizer_source
from mbrt_train.tuning.evaluate import max_positions, predictor, read_model
from mbrt_train.tuning.names import task_by_name
from mbrt_train.tuning.task import Encoded

# Tokens of a text with [CLS] and [SEP]: the last length of each range of the table but the last.
LENGTHS = (16, 64, 128)


@dataclass(frozen=True)
class Agreement:
    """Mean cosines: over the texts, over the sources' means, of each source, of each range of lengths, of questions.

    Questions are the texts that end with a question mark.
    """

    texts: int
    mean: float
    mean_of_sources: float
    sources: dict[str, float]
    lengths: dict[str, float]
    questions: float | None


def agreement(model: Path, corpus: Path, teacher: Path, texts: int = 0) -> Agreement:
    """Mean cosine of a run or folder (by PyTorch) or of a model file (by the engine) to the teacher's vectors.

    teacher: another such model, or a .npy file of its vectors, from `mbrt-train vectors`. texts: at most this many of
    each source, 0 for all. Raises TrainingError for another tokenizer or vectors of another text.
    """
    part = Corpus(corpus, "heldout")
    sources = part.sources()
    rows = _first_of_each(sources, texts)
    ids, found = _vectors(model, part, rows)
    if teacher.suffix == ".npy":
        wanted = Vectors(teacher, part, found.shape[1]).of(part.documents[rows])
    else:
        wanted = _filled(_vectors(teacher, part, rows)[1], found.shape[1], teacher)
    cosines = (found * wanted).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(wanted, axis=1)
    names = [source["name"] for source in part.manifest["sources"]]
    by_source = {names[s]: float(cosines[sources[rows] == s].mean()) for s in np.unique(sources[rows])}
    mark = part.tokenizer().token_to_id("?")
    asks = np.array([len(i) > 2 and i[-2] == mark for i in ids])
    return Agreement(
        len(rows),
        float(cosines.mean()),
        float(np.mean(list(by_source.values()))),
        by_source,
        _by_length(np.array([len(i) for i in ids]), cosines),
        float(cosines[asks].mean()) if asks.any() else None,
    )


def _vectors(model: Path, part: Corpus, rows: NDArray[np.int64]) -> tuple[list[list[int]], NDArray[np.float32]]:
    """The tokens of these rows, cut to the model's positions, and its vectors."""
    if pieces(load_tokenizer(tokenizer_source(model))) != pieces(part.tokenizer()):
        raise TrainingError(f"{model}: its tokenizer is not the one that {part.folder} was prepared with.")
    loaded = read_model(model)
    words, positions = vocabulary(part.tokenizer()), max_positions(loaded)
    ids = [[words.cls, *part[int(row)].ids[: positions - 2].tolist(), words.sep] for row in rows]
    predict = predictor(task_by_name("similarity"), loaded)
    return ids, np.stack(predict([Encoded(i, [0] * len(i)) for i in ids]))


def _filled(vectors: NDArray[np.float32], width: int, teacher: Path) -> NDArray[np.float32]:
    """With zeros up to the student's width, as in training. Raises TrainingError for wider vectors."""
    own = vectors.shape[1]
    if own > width:
        raise TrainingError(
            f"{teacher} has vectors of {own} numbers, the student of {width}. Training projected them on axes that "
            "depend on its file of vectors: give that file."
        )
    return np.pad(vectors, ((0, 0), (0, width - own)))


def _first_of_each(sources: NDArray[np.int64], texts: int) -> NDArray[np.int64]:
    if not texts:
        return np.arange(len(sources))
    return np.concatenate([np.flatnonzero(sources == s)[:texts] for s in np.unique(sources)])


def _by_length(lengths: NDArray[np.int64], cosines: NDArray[np.float32]) -> dict[str, float]:
    names = [f"up to {LENGTHS[0]}", *(f"{a + 1} to {b}" for a, b in pairwise(LENGTHS)), f"more than {LENGTHS[-1]}"]
    ranges = np.searchsorted(LENGTHS, lengths)
    return {names[i]: float(cosines[ranges == i].mean()) for i in np.unique(ranges)}
