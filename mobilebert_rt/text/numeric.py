"""The little arithmetic the tasks need. float64 inside, float32 out.

Sums fold in halves (`fold_sum`) instead of calling numpy's or BLAS' reductions: their order changes with the
machine and with the batch, and an embedding must have the same bits everywhere, as the engine's outputs do.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


def fold_sum(x: npt.ArrayLike) -> Doubles:
    """Sum over the first axis: [n, ...] -> [...], float64, always in the same order (halves, zero-padded)."""
    values = np.asarray(x, dtype=np.float64)
    while (n := len(values)) > 1:
        half = (n + 1) // 2
        head = values[:half].copy()
        head[: n - half] += values[half:]
        values = head
    if len(values) == 0:
        return np.zeros(values.shape[1:], dtype=np.float64)
    return np.asarray(values[0])


def unit_rows(x: npt.ArrayLike) -> Doubles:
    """Rows [n, h] divided by their Euclidean length; a row of zeros stays zero. float64."""
    rows = np.asarray(x, dtype=np.float64)
    largest = np.max(np.abs(rows), axis=1, keepdims=True, initial=0.0)
    scaled = rows / np.where(largest > 0, largest, 1.0)
    length = np.sqrt(fold_sum(np.square(scaled.T)))
    return np.asarray(scaled / np.where(length > 0, length, 1.0)[:, np.newaxis])


def softmax(logits: npt.ArrayLike) -> Floats:
    """Over the last axis; float32. Safe for logits of any size."""
    x = np.asarray(logits, dtype=np.float64)
    powers = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return np.asarray(powers / np.sum(powers, axis=-1, keepdims=True), dtype=np.float32)


def sigmoid(logits: npt.ArrayLike) -> Floats:
    """Element-wise; float32. exp sees only negative numbers, so nothing overflows."""
    x = np.asarray(logits, dtype=np.float64)
    power = np.exp(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1.0, power) / (1.0 + power), dtype=np.float32)
