"""The little arithmetic the tasks need. float64 inside, float32 out.

Sums fold in halves (`fold_sum`) instead of calling numpy's or BLAS' reductions: their order changes with the
machine and with the batch. The exponential is our own for the same reason (`exp_negative`). Vectors and scores so
have the same bits everywhere, as the engine's outputs do; csrc/tasks/numeric.cc does the same operations in C++.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

# ln 2 in two parts, the first so short that k times it is exact.
_INVERSE_LN2 = float.fromhex("0x1.71547652b82fep0")
_LN2_HIGH = float.fromhex("0x1.62e42fee00000p-1")
_LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
_INVERSE_FACTORIALS = [1 / math.factorial(n) for n in range(14, 0, -1)]
_LOWEST = -708.0  # below it doubles become subnormal


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


def exp_negative(x: npt.ArrayLike) -> Doubles:
    """e^x for x <= 0, element-wise; float64, error < 1.2 ulp. 0 below -708; a NaN stays one.

    2^k * e^r with k = round(x / ln 2) and |r| <= ln 2 / 2; e^r by its series, whose first term left out is below 5e-18.
    """
    values = np.asarray(x, dtype=np.float64)
    inside = np.where(values >= _LOWEST, values, 0.0)
    k = np.floor(inside * _INVERSE_LN2 + 0.5)
    r = (inside - k * _LN2_HIGH) - k * _LN2_LOW
    series = np.zeros_like(r)
    for term in _INVERSE_FACTORIALS:
        series = (series + term) * r
    powers = np.ldexp(1.0 + series, k.astype(np.int32))
    return np.where(values >= _LOWEST, powers, np.where(values < _LOWEST, 0.0, values))


def softmax(logits: npt.ArrayLike) -> Floats:
    """Over the last axis; float32. Safe for logits of any size."""
    x = np.asarray(logits, dtype=np.float64)
    powers = exp_negative(x - np.max(x, axis=-1, keepdims=True, initial=-np.inf))
    return np.asarray(powers / fold_sum(np.moveaxis(powers, -1, 0))[..., np.newaxis], dtype=np.float32)


def sigmoid(logits: npt.ArrayLike) -> Floats:
    """Element-wise; float32. The exponential sees only negative numbers, so nothing overflows."""
    x = np.asarray(logits, dtype=np.float64)
    power = exp_negative(-np.abs(x))
    return np.asarray(np.where(x >= 0, 1.0, power) / (1.0 + power), dtype=np.float32)
