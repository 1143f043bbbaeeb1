"""Packing: matrices to the order in which the kernels read them, zeros in the padding.

n16k1 (float32): weight of output n, input k at [n / 16, k, n % 16].
n16k4 (int8):    at [n / 16, k / 4, n % 16, k % 4].
Both N and K are rounded up to multiples of 16.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Scalar = TypeVar("Scalar", np.float32, np.int8)


def pad16(size: int) -> int:
    """`size` rounded up to a multiple of 16."""
    return (size + 15) // 16 * 16


def padded(array: NDArray[Scalar], *shape: int) -> NDArray[Scalar]:
    """`array` in the corner of a zero array of `shape`; the array itself when the shapes are equal."""
    if array.shape == shape:
        return array
    out = np.zeros(shape, dtype=array.dtype)
    out[tuple(slice(n) for n in array.shape)] = array
    return out


def n16k1(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 [N, K] to [pad16(N) / 16, pad16(K), 16]."""
    n, k = pad16(weight.shape[0]), pad16(weight.shape[1])
    blocks = padded(weight, n, k).reshape(n // 16, 16, k)
    return np.ascontiguousarray(blocks.transpose(0, 2, 1))


def n16k4(weight: NDArray[np.int8]) -> NDArray[np.int8]:
    """int8 [N, K] to [pad16(N) / 16, pad16(K) / 4, 16, 4]."""
    n, k = pad16(weight.shape[0]), pad16(weight.shape[1])
    # Four k of one output move together: transpose them as one 32-bit word.
    words = np.ascontiguousarray(padded(weight, n, k)).view(np.int32).reshape(n // 16, 16, k // 4)
    return np.ascontiguousarray(words.transpose(0, 2, 1)).view(np.int8).reshape(n // 16, k // 4, 16, 4)
