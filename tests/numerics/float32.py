"""The basic operations of docs/numerics.md in numpy: rows of float32 with the rounding of the document.

Written from the page and not from the engine. numpy rounds +, -, *, / and sqrt of float32 once each; fma, which it
lacks, is made exactly from float64.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
LANES = 16


def f32(value: Any) -> np.float32:
    return np.float32(value)


def hexadecimal(text: str) -> np.float32:
    """A float from its notation in the document."""
    return np.float32(float.fromhex(text))


def fma(a: Any, b: Any, c: Any) -> F32:
    """a * b + c, rounded once.

    The product of two floats is exact in float64. The sum is not, but when it is rounded to odd (its last bit set
    where anything was lost), rounding it again to float32 gives what rounding the exact sum would.
    """
    with np.errstate(all="ignore"):
        product = np.asarray(a, np.float64) * np.asarray(b, np.float64)
        addend = np.asarray(c, np.float64)
        total = product + addend
        second = total - product
        lost = (product - (total - second)) + (addend - second)
        bits = np.atleast_1d(total).view(np.int64).reshape(total.shape)
        odd = bits + np.where((lost > 0) == (total > 0), 1, -1)
        inexact = ((lost < 0) | (lost > 0)) & np.isfinite(total)
        bits = np.where(inexact & (bits % 2 == 0), odd, bits)
        return bits.view(np.float64).astype(np.float32)


def maximum(a: Any, b: Any) -> F32:
    """a > b ? a : b; a NaN in either gives b."""
    larger: F32 = np.where(np.asarray(a) > b, a, b).astype(np.float32)
    return larger


def minimum(a: Any, b: Any) -> F32:
    smaller: F32 = np.where(np.asarray(a) < b, a, b).astype(np.float32)
    return smaller


def lanes(rows: F32) -> F32:
    """[..., n] as [..., ceil(n / 16), 16], with +0 after the end."""
    padding = [(0, 0)] * (rows.ndim - 1) + [(0, -rows.shape[-1] % LANES)]
    return np.pad(rows, padding).reshape(*rows.shape[:-1], -1, LANES)


def fold(lane: F32) -> F32:
    """[..., 16] to [...]: lane j + lane j + 8, then + 4, + 2, + 1."""
    for half in (8, 4, 2, 1):
        lane = lane[..., :half] + lane[..., half : 2 * half]
    return lane[..., 0]


def row_sum(rows: F32) -> F32:
    """The lane sum and fold of each row."""
    vectors = lanes(rows)
    total = np.zeros((*rows.shape[:-1], LANES), np.float32)
    for i in range(vectors.shape[-2]):
        total = total + vectors[..., i, :]
    return fold(total)


def row_sum_of_squares(rows: F32) -> F32:
    """The same with fma(d, d, sum)."""
    vectors = lanes(rows)
    total = np.zeros((*rows.shape[:-1], LANES), np.float32)
    for i in range(vectors.shape[-2]):
        total = fma(vectors[..., i, :], vectors[..., i, :], total)
    return fold(total)


def exp_parts(x: Any) -> tuple[F32, NDArray[np.int32]]:
    """p and the shifted exponent bits of the document's exponential."""
    with np.errstate(all="ignore"):
        t = fma(x, hexadecimal("0x1.715476p+0"), hexadecimal("0x1.8p+23"))
        n = t - hexadecimal("0x1.8p+23")
        r = fma(n, hexadecimal("-0x1.62e400p-1"), x)
        r = fma(n, hexadecimal("-0x1.7f7d1cp-20"), r)
        c = fma(hexadecimal("0x1.6ab8bep-10"), r, hexadecimal("0x1.122c60p-7"))
        for coefficient in ("0x1.55579cp-5", "0x1.5554aap-3", "0x1.fffffep-2"):
            c = fma(c, r, hexadecimal(coefficient))
        return fma(c, r * r, r), t.view(np.int32) << 23


def scaled_by_power(x: Any, exponent: Any) -> F32:
    """bits(x) + exponent, as int32 modulo 2^32."""
    scaled: F32 = (x.view(np.uint32) + exponent.view(np.uint32)).view(np.float32)
    return scaled


def exp2(x: Any) -> F32:
    """Two to the power of x <= 0."""
    x = np.asarray(x, np.float32)
    shifted = x + f32(12582912)
    f = x - (shifted - f32(12582912))
    p = fma(hexadecimal("0x1.408b5ep-7"), f, hexadecimal("0x1.ca8f48p-5"))
    for coefficient in ("0x1.ebf1b8p-3", "0x1.62dfcap-1", "0x1p+0"):
        p = fma(p, f, hexadecimal(coefficient))
    return np.where(x > f32(-126), scaled_by_power(p, shifted.view(np.int32) << 23), f32(0))


def exp(x: Any) -> F32:
    """The exponential of x <= 0."""
    x = np.asarray(x, np.float32)
    p, exponent = exp_parts(x)
    y = scaled_by_power(f32(1) + p, exponent)
    return np.where(x > hexadecimal("-0x1.5d58a0p+6"), y, f32(0))
