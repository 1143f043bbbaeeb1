"""Vectors in fewer bits, their similarities, and the nearest ones of a corpus."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from mobilebert_rt.errors import InputError

Output = Literal["float32", "int8", "uint8", "binary", "ubinary"]
Similarity = Literal["cosine", "dot", "euclidean", "manhattan"]
Floats = npt.NDArray[np.float32]

OUTPUTS: tuple[str, ...] = ("float32", "int8", "uint8", "binary", "ubinary")
SIMILARITIES: tuple[str, ...] = ("cosine", "dot", "euclidean", "manhattan")
_BLOCK_ROWS = 4096  # of the corpus
_BLOCK_QUERIES = 512  # 8 MB of scores


def check_output(output: str, name: str = "output") -> None:
    """Raises InputError for an unknown output; name: of the argument."""
    if output not in OUTPUTS:
        raise InputError(f"{name}: found {output!r}; expected {', '.join(OUTPUTS)}.")


def quantize(vectors: npt.ArrayLike, output: Output = "int8", ranges: npt.ArrayLike | None = None) -> Any:
    """Vectors [H] or [N, H] in fewer bits, as `quantize_embeddings` of sentence-transformers makes them.

    output: "int8", "uint8": 256 steps between the smallest and the largest value of each dimension, in an int8 or uint8
    array [N, H]. "binary", "ubinary": one bit for each dimension, 1 for a value above 0; eight in each item of an int8
    or uint8 array [N, ceil(H / 8)]. "float32": as they are. ranges: [2, H], the smallest and largest values for "int8"
    and "uint8"; by default those of `vectors`.

    Raises InputError for an unknown output, wrong shapes, and one vector alone without ranges.

    >>> quantize([[0.5, -1.0], [-0.5, 1.0]], "ubinary").tolist()
    [[128], [64]]
    """
    check_output(output)
    values = np.asarray(_checked(vectors, "vectors"), np.float32)
    if output == "float32":
        return values
    if output in ("binary", "ubinary"):
        bits = np.packbits(values > 0, axis=-1)
        return bits if output == "ubinary" else (bits - np.uint8(128)).view(np.int8)
    if ranges is None:
        if values.ndim == 2 and len(values) == 0:
            return values.astype(output)
        if values.ndim < 2 or len(values) < 2:
            raise InputError(f"ranges: output {output!r} of one vector needs them. Give the ranges of many vectors.")
        ranges = np.stack([values.min(axis=0), values.max(axis=0)])
    limits = np.asarray(ranges, np.float32)
    if limits.shape != (2, values.shape[-1]):
        raise InputError(f"ranges: found shape {limits.shape}; expected (2, {values.shape[-1]}).")
    steps = (limits[1] - limits[0]) / np.float32(255)
    steps = np.where(steps == 0, np.float32(1), steps)
    whole = np.clip(np.floor((values - limits[0]) / steps), 0, 255)
    return whole.astype(np.uint8) if output == "uint8" else (whole - 128).astype(np.int8)


def similarity(a: npt.ArrayLike, b: npt.ArrayLike, kind: str = "cosine") -> Floats:
    """[N, M] float32: the similarity of each row of a [N, H] with each of b [M, H].

    kind: "cosine", "dot", or minus the distance: "euclidean", "manhattan". A single vector [H] is one row.

    Raises InputError for other shapes, 8-bit vectors and an unknown kind.

    >>> similarity([1.0, 0.0], [[1.0, 0.0], [0.0, 2.0]]).tolist()
    [[1.0, 0.0]]
    """
    left, right = _rows(a, "a"), _rows(b, "b")
    if left.shape[1] != right.shape[1]:
        raise InputError(f"b: found vectors of {right.shape[1]} dimensions; expected {left.shape[1]}, as of a.")
    return _similar(kind)(left, right)


def search(
    queries: npt.ArrayLike,
    corpus: npt.ArrayLike,
    top_k: int = 10,
    kind: str = "cosine",
    check: Callable[[], None] | None = None,
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """The top_k rows of corpus [N, H] for each query [Q, H]: their scores and numbers, both [Q, top_k], best first.

    Rows with equal scores keep the order of the corpus; with fewer than top_k rows there are fewer columns. The corpus
    is read in blocks of 4,096 rows and the whole matrix of scores never exists, so the corpus may be a `numpy.memmap`.
    check: called before each block; what it raises ends the search.

    Raises InputError for wrong shapes, 8-bit vectors, an unknown kind and a top_k below 1.

    >>> scores, rows = search([[1.0, 0.0]], [[0.0, 1.0], [2.0, 0.0], [1.0, 1.0]], top_k=2)
    >>> rows.tolist()
    [[1, 2]]
    """
    left = _rows(queries, "queries")
    right = _checked(corpus, "corpus")
    if right.ndim != 2 or right.shape[1] != left.shape[1]:
        raise InputError(f"corpus: found shape {right.shape}; expected [N, {left.shape[1]}], as wide as the queries.")
    if type(top_k) is not int or top_k < 1:
        raise InputError(f"top_k: found {top_k!r}; expected a whole number of at least 1.")
    kept = min(top_k, len(right))
    scores, found = np.empty((len(left), kept), np.float32), np.empty((len(left), kept), np.int64)
    for first in range(0, len(left), _BLOCK_QUERIES):
        part = slice(first, first + _BLOCK_QUERIES)
        scores[part], found[part] = _search_block(left[part], right, kept, _similar(kind), check)
    return scores, found


def _search_block(
    queries: Floats,
    corpus: npt.NDArray[Any],
    kept: int,
    similar: Callable[[Floats, Floats], Floats],
    check: Callable[[], None] | None,
) -> tuple[Floats, npt.NDArray[np.int64]]:
    best, numbers = np.empty((len(queries), 0), np.float32), np.empty((len(queries), 0), np.int64)
    for start in range(0, len(corpus), _BLOCK_ROWS):
        if check is not None:
            check()
        block = np.asarray(corpus[start : start + _BLOCK_ROWS], np.float32)
        # The best so far come first: among equal scores, the earlier row stays.
        scores = np.concatenate([best, similar(queries, block)], axis=1)
        rows = np.arange(start, start + len(block))
        chosen = np.stack([_largest(row, min(kept, len(row))) for row in scores])
        seen = best.shape[1]
        found = np.where(chosen < seen, 0, rows[np.maximum(chosen - seen, 0)])
        if seen > 0:
            found = np.where(chosen < seen, np.take_along_axis(numbers, np.minimum(chosen, seen - 1), axis=1), found)
        best, numbers = np.take_along_axis(scores, chosen, axis=1), found
    return best, numbers


def _largest(scores: Floats, count: int) -> npt.NDArray[np.int64]:
    """The indices of the `count` largest, best first, equal ones in their order."""
    limit = np.partition(scores, len(scores) - count)[len(scores) - count]
    candidates = np.flatnonzero(~(scores < limit))
    order = np.argsort(-scores[candidates], kind="stable")[:count]
    return candidates[order]


def _checked(vectors: npt.ArrayLike, name: str) -> npt.NDArray[Any]:
    """An array of numbers. 8-bit values stand for others, which are unknown here."""
    array = np.asarray(vectors)
    if array.dtype.kind not in "fiu" or array.dtype.itemsize == 1:
        raise InputError(f"{name}: found {array.dtype} values; expected float vectors.")
    return array


def _rows(vectors: npt.ArrayLike, name: str) -> Floats:
    rows = np.asarray(_checked(vectors, name), np.float32)
    if rows.ndim == 1:
        rows = rows[None]
    if rows.ndim != 2:
        raise InputError(f"{name}: found {rows.ndim} dimensions; expected vectors [H] or [N, H].")
    return rows


def _similar(kind: str) -> Callable[[Floats, Floats], Floats]:
    if kind not in SIMILARITIES:
        raise InputError(f"similarity: found {kind!r}; expected {', '.join(SIMILARITIES)}.")
    return {"cosine": _cosine, "dot": _dot, "euclidean": _euclidean, "manhattan": _manhattan}[kind]


def _dot(a: Floats, b: Floats) -> Floats:
    return a @ b.T


def _lengths(rows: Floats) -> Floats:
    lengths: Floats = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    return np.maximum(lengths, np.float32(1e-12), dtype=np.float32)


def _cosine(a: Floats, b: Floats) -> Floats:
    scores = np.asarray((a / _lengths(a)[:, None]) @ b.T, np.float32)
    scores /= _lengths(b)
    return scores


def _euclidean(a: Floats, b: Floats) -> Floats:
    # |a - b|^2 = |a|^2 + |b|^2 - 2 a b, in float64, where the difference of near values keeps enough digits.
    left, right = a.astype(np.float64), b.astype(np.float64)
    squares = (left * left).sum(axis=1)[:, None] + (right * right).sum(axis=1) - 2 * (left @ right.T)
    return np.asarray(-np.sqrt(np.maximum(squares, 0)), np.float32)


def _manhattan(a: Floats, b: Floats) -> Floats:
    distances: Floats = np.stack([np.abs(b - row).sum(axis=1) for row in a])
    return -distances
