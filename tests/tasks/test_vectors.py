"""Similarities and search: against numpy in float64 and the full matrix."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mobilebert_rt import InputError
from mobilebert_rt.text import quantize, search, similarity
from mobilebert_rt.text.vectors import SIMILARITIES
from tests.emulation import EMULATED

RANDOM = np.random.default_rng(0)
VECTORS = RANDOM.normal(0, 1, (150, 21)).astype(np.float32)


def exact(a: np.ndarray, b: np.ndarray, kind: str) -> np.ndarray:
    """The similarity of each pair in float64."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    if kind == "cosine":
        a, b = a / np.linalg.norm(a, axis=1, keepdims=True), b / np.linalg.norm(b, axis=1, keepdims=True)
    if kind in ("cosine", "dot"):
        return a @ b.T
    order = 2 if kind == "euclidean" else 1
    return -np.stack([np.linalg.norm(b - row, ord=order, axis=1) for row in a])


@pytest.mark.parametrize("kind", SIMILARITIES)
def test_similarity_is_that_of_numpy_in_float64(kind: str) -> None:
    np.testing.assert_allclose(
        similarity(VECTORS[:7], VECTORS[7:], kind), exact(VECTORS[:7], VECTORS[7:], kind), rtol=1e-5, atol=1e-5
    )
    assert similarity(VECTORS[0], VECTORS, kind).shape == (1, 150)


def test_similarity_of_a_vector_of_zeros_is_zero() -> None:
    np.testing.assert_array_equal(similarity(np.zeros(3), np.ones((2, 3))), [[0, 0]])


@pytest.mark.parametrize("kind", SIMILARITIES)
def test_search_over_blocks_is_the_sorted_full_matrix(kind: str) -> None:
    corpus = RANDOM.normal(0, 1, (9000, 21)).astype(np.float32)
    scores, rows = search(VECTORS[:5], corpus, 30, kind)
    full = exact(VECTORS[:5], corpus, kind)
    np.testing.assert_array_equal(rows, np.argsort(-full, axis=1, kind="stable")[:, :30])
    np.testing.assert_allclose(scores, np.take_along_axis(full, rows, axis=1), rtol=1e-5)


def test_equal_scores_come_in_the_order_of_the_corpus() -> None:
    corpus = np.tile(np.eye(2, dtype=np.float32), (5000, 1))
    scores, rows = search([[1.0, 0.0], [0.0, 1.0]], corpus, 4)
    assert rows.tolist() == [[0, 2, 4, 6], [1, 3, 5, 7]]
    np.testing.assert_array_equal(scores, np.ones((2, 4)))


def test_search_returns_no_more_than_there_are() -> None:
    assert search(VECTORS[:2], VECTORS[:3], 10)[1].shape == (2, 3)
    assert search(VECTORS[:2], VECTORS[:0], 10)[1].shape == (2, 0)
    assert search(VECTORS[:0], VECTORS, 10)[1].shape == (0, 10)


@pytest.mark.skipif(EMULATED, reason="[emulated] takes minutes")
@pytest.mark.parametrize("kind", ["cosine", "euclidean"])
def test_search_over_100000_vectors_needs_little_memory(kind: str) -> None:
    corpus = RANDOM.standard_normal((100_000, 384), np.float32)
    queries = RANDOM.standard_normal((100, 384), np.float32)
    tracemalloc.start()
    scores, rows = search(queries, corpus, 10, kind)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most <= 64 << 20
    some = slice(0, 100 if kind == "cosine" else 4)  # distances in float64 are slow
    full = exact(queries[some], corpus, kind)
    np.testing.assert_allclose(scores[some], -np.sort(-full, axis=1)[:, :10], rtol=2e-6)
    np.testing.assert_allclose(np.take_along_axis(full, rows[some], axis=1), scores[some], rtol=2e-6)


def test_search_reads_a_file_of_any_float_type(tmp_path: Path) -> None:
    np.save(tmp_path / "corpus.npy", VECTORS.astype(np.float16))
    corpus = np.load(tmp_path / "corpus.npy", mmap_mode="r")
    scores, rows = search(VECTORS[:3], corpus, 1)
    assert rows[:, 0].tolist() == [0, 1, 2]
    np.testing.assert_allclose(scores, 1, atol=1e-3)


def test_check_of_a_search_is_called_for_each_block() -> None:
    calls: list[int] = []
    search(VECTORS[:2], np.ones((8193, 21), np.float32), 1, check=lambda: calls.append(1))
    assert len(calls) == 3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: quantize(VECTORS, "int4"), "output: found 'int4'; expected float32, int8"),
        (lambda: quantize(VECTORS[0], "int8"), "ranges: output 'int8' of one vector needs them"),
        (lambda: quantize(VECTORS[:1], "uint8"), "ranges: output 'uint8' of one vector needs them"),
        (lambda: quantize(VECTORS, "int8", np.ones((2, 3))), r"ranges: found shape \(2, 3\); expected \(2, 21\)"),
        (lambda: similarity(VECTORS, VECTORS[:, :4]), "b: found vectors of 4 dimensions; expected 21"),
        (lambda: similarity(VECTORS, VECTORS, "angle"), "similarity: found 'angle'; expected cosine"),
        (lambda: similarity(VECTORS[None], VECTORS), "a: found 3 dimensions"),
        (lambda: search(VECTORS, VECTORS[0]), r"corpus: found shape \(21,\)"),
        (lambda: search(VECTORS, VECTORS[:, :4]), r"corpus: found shape \(150, 4\)"),
        (lambda: search(VECTORS, VECTORS, 0), "top_k: found 0; expected a whole number"),
        (lambda: search(VECTORS, VECTORS, True), "top_k: found True"),
        (lambda: search(VECTORS, quantize(VECTORS)), "corpus: found int8 values; expected float vectors"),
        (lambda: similarity(quantize(VECTORS, "ubinary"), VECTORS), "a: found uint8 values"),
        (lambda: quantize(quantize(VECTORS)), "vectors: found int8 values"),
        (lambda: search(["a text"], VECTORS), "queries: found <U6 values"),
    ],
)
def test_wrong_arguments_are_named(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()
