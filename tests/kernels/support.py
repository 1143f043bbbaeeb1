"""What the kernel tests share: which instruction sets, which bits are the same, what a range is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mobilebert_rt import _core

Array = NDArray[Any]
F32 = NDArray[np.float32]

PLACEMENTS = ("end", "start")


def vector_isas() -> list[Any]:
    """Every set but the scalar one, for pytest.mark.parametrize; those that cannot run here are skipped."""
    marked = []
    for isa in _core.compiled_isas():
        lacks = isa not in _core.available_isas()
        reason = f"[cpu] {isa} is compiled in, but this processor cannot run it"
        marked.append(pytest.param(isa, marks=pytest.mark.skipif(lacks, reason=reason)))
    return marked[1:]


def same_bits(a: Array, b: Array) -> bool:
    """Equal bit for bit; a NaN equals a NaN, since its sign and payload are the hardware's."""
    if a.dtype != np.float32:
        return bool((a == b).all())
    equal = np.ascontiguousarray(a).view(np.int32) == np.ascontiguousarray(b).view(np.int32)
    return bool((equal | (np.isnan(a) & np.isnan(b))).all())


def widened(ranges: F32, y: F32) -> F32:
    """The running range [rows, 32] after the rows y: for each lane the maximum, then for each the minimum."""
    high, low = ranges[:, :16].copy(), ranges[:, 16:].copy()
    for i in range(0, y.shape[1], 16):
        part = y[:, i : i + 16]
        lanes = slice(0, part.shape[1])
        high[:, lanes] = np.where(part > high[:, lanes], part, high[:, lanes])
        low[:, lanes] = np.where(part < low[:, lanes], part, low[:, lanes])
    return np.concatenate([high, low], axis=1)


def random_ranges(random: np.random.Generator, rows: int) -> F32:
    """Ranges as an earlier kernel may have left them: some lanes wide, some still 0."""
    size = np.abs(random.standard_normal((rows, 32))) * random.integers(0, 3, (rows, 32))
    size[:, 16:] *= -1
    return (size + 0.0).astype(np.float32)
