"""Shared by the kernel tests: instruction sets and the comparison of bits."""

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
        if isa.startswith("avx512"):
            reason += "; make test-avx512 emulates one that can"
        marked.append(pytest.param(isa, marks=pytest.mark.skipif(lacks, reason=reason)))
    return marked[1:]


def same_bits(a: Array, b: Array) -> bool:
    """Equal bit for bit; any two NaNs are equal, since their sign and payload depend on the hardware."""
    if a.dtype != np.float32:
        return bool((a == b).all())
    equal = np.ascontiguousarray(a).view(np.int32) == np.ascontiguousarray(b).view(np.int32)
    return bool((equal | (np.isnan(a) & np.isnan(b))).all())
