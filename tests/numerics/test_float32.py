"""The exact fma of all oracles in this folder, against rational arithmetic."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.numerics.float32 import fma

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
NEAR = st.integers(-(1 << 24), 1 << 24).map(lambda i: float(np.float32(i) * np.float32(2.0**-20)))


def nearest_float(value: Fraction) -> np.float32:
    """The float nearest to a rational, ties to even; infinity above the largest."""
    guess = np.float32(float(value)) if abs(value) < 2**200 else np.float32(np.inf if value > 0 else -np.inf)
    around = [np.nextafter(guess, np.float32(-np.inf)), guess, np.nextafter(guess, np.float32(np.inf))]

    def distance(candidate: np.float32) -> tuple[Fraction, int]:
        # Infinity has the place of the next float: 2^128.
        exact = Fraction(2) ** 128 * int(np.sign(candidate)) if np.isinf(candidate) else Fraction(float(candidate))
        return abs(exact - value), int(np.asarray(candidate).view(np.uint32)) & 1

    return min(around, key=distance)


@given(FLOATS, FLOATS, FLOATS)
def test_fma_of_any_floats_is_rounded_once(a: float, b: float, c: float) -> None:
    exact = Fraction(a) * Fraction(b) + Fraction(c)
    with np.errstate(all="ignore"):
        assert fma(a, b, c) == nearest_float(exact), (a.hex(), b.hex(), c.hex())


@given(NEAR, NEAR, NEAR, st.sampled_from([2.0**-60, 2.0**-24, 1.0, 2.0**24]))
def test_fma_of_floats_that_cancel_is_rounded_once(a: float, b: float, c: float, scale: float) -> None:
    c = float(np.float32(c * scale))
    assert fma(a, b, c) == nearest_float(Fraction(a) * Fraction(b) + Fraction(c)), (a.hex(), b.hex(), c.hex())
    rounded = float(np.float32(a) * np.float32(b))
    assert fma(a, b, -rounded) == nearest_float(Fraction(a) * Fraction(b) - Fraction(rounded))
