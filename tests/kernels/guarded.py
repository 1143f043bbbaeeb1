"""Arrays that end or begin at a page that can be neither read nor written."""

from __future__ import annotations

import ctypes
import mmap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

Array = NDArray[Any]
PAGE = mmap.PAGESIZE
PROT_NONE = 0
POISON = 0xFF  # NaN as floats: a value read from between the rows changes the result

_mprotect = ctypes.CDLL(None, use_errno=True).mprotect
_mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


def _forbid(address: int) -> None:
    if _mprotect(address, PAGE, PROT_NONE) != 0:
        raise OSError(ctypes.get_errno(), "mprotect")


@dataclass
class _Placed:
    memory: Array
    before: Array
    rows_of: Callable[[Array], Array]  # the array's rows in a copy of its memory
    output: bool


class Arena:
    """The arrays of one kernel call. There is poison between and around their rows.

    at "end": each array's last byte is the last of its page, and an access after it is a fault; at "start": its
    first byte is the first of its page, and an access before it is a fault.
    """

    def __init__(self, at: str) -> None:
        self.at = at
        self._placed: list[_Placed] = []

    def place(self, values: Array, gap: int = 0, output: bool = False) -> Array:
        """A copy of a vector or of a matrix with `gap` elements between its rows."""
        size, width = values.dtype.itemsize, values.shape[-1]
        strides = ((width + gap) * size, size)[-values.ndim :]
        span = values.size // width * (width + gap) * size - gap * size
        region = mmap.mmap(-1, (-(-span // PAGE) + 2) * PAGE)
        address = ctypes.addressof(ctypes.c_char.from_buffer(region))
        _forbid(address)
        _forbid(address + len(region) - PAGE)
        memory = np.frombuffer(region, np.uint8)[PAGE:-PAGE]
        memory[:] = POISON
        start = memory.size - span if self.at == "end" else 0

        def rows_of(copy: Array) -> Array:
            return as_strided(copy[start : start + span].view(values.dtype), values.shape, strides)

        placed = rows_of(memory)
        placed[...] = values
        self._placed.append(_Placed(memory, memory.copy(), rows_of, output))
        return placed

    def place_output(self, values: Array, gap: int = 0) -> Array:
        """The same for an array that the kernel writes."""
        return self.place(values, gap, output=True)

    def check(self) -> None:
        """Asserts that only the outputs have changed."""
        for placed in self._placed:
            now, before = placed.memory.copy(), placed.before
            if placed.output:
                placed.rows_of(now)[...] = 0
                placed.rows_of(before)[...] = 0
            assert (now == before).all(), "bytes outside the kernel's outputs were written"
