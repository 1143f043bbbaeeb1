"""The guarded arrays of the kernel tests detect wrong accesses."""

from __future__ import annotations

import signal
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

from tests import interpreter
from tests.emulation import EMULATED
from tests.kernels.guarded import Arena
from tests.kernels.support import PLACEMENTS


@pytest.mark.parametrize("at", PLACEMENTS)
@pytest.mark.parametrize("column", [4, 5])
def test_write_between_rows_is_detected(at: str, column: int) -> None:
    arena = Arena(at)
    out = arena.place_output(np.zeros((2, 4), np.float32), gap=2)
    out[:] = 7
    arena.check()
    as_strided(out, (2, 6))[0, column] = 7
    with pytest.raises(AssertionError, match="outside"):
        arena.check()


def test_write_to_an_input_is_detected() -> None:
    arena = Arena("end")
    arena.place(np.zeros(16, np.float32))[3] = 1
    with pytest.raises(AssertionError, match="outside"):
        arena.check()


@pytest.mark.parametrize(("at", "step"), [("end", 64), ("start", -4)][: 1 if EMULATED else None])
def test_access_to_the_next_page_is_a_fault(at: str, step: int) -> None:
    code = (
        "import ctypes, numpy as np\n"
        "from tests.kernels.guarded import Arena\n"
        f"array = Arena({at!r}).place(np.zeros(16, np.float32))\n"
        "print('placed', flush=True)\n"
        f"ctypes.string_at(array.ctypes.data + ({step}), 1)\n"
    )
    done = interpreter.run(code, PYTHONPATH=str(Path(__file__).parents[2]))
    assert done.stdout == "placed\n", done.stderr
    assert done.returncode in (-signal.SIGSEGV, 128 + signal.SIGSEGV)
