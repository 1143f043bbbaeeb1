"""The int8 scale of each channel of a vector, from the weights alone. Everything here determines the file's bits.

    X[k]   magnitude: how large channel k of the vector may be, with maxima in place of sums
    c[k]   scale: channel k is multiplied by it before it is quantised; a power of two

    r[n] = max over j of |W[n][j]| X[j]         for every row n of every linear layer W that reads the vector
    c[k] = max over n of |W[n][k]| / r[n]       without rows of r[n] = 0; then the nearest power of two

|W[n][k]| X[k] / r[n] is the share of channel k in row n, so c[k] X[k] is the largest share that the channel
has in any row: 1 if it dominates a row, small if it hardly matters, whatever its own magnitude. If the channels
of a model are multiplied by powers of two, and divided where they are read, the products W X stay the same,
hence c X and the quantised integers too.

Only comparisons, absolute values, single float64 operations on elements (IEEE, round to nearest even) and
medians by sorting are used: no sums and no matrix products, whose order differs between platforms.
Measurements and alternatives: docs/quantisation.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mobilebert_rt.conversion.fold import Floats, Linear, Norm

Doubles = NDArray[np.float64]

# Scales stay within 2^-60 .. 2^60, so that the quotient of two of them is a float32.
MAX_SCALE = 2.0**60
# Magnitudes stay below this, so that a float32 times one is a finite float64.
MAX_MAGNITUDE = 2.0**800
# Share of a channel that no layer reads.
UNREAD = 2.0**-40
# The smallest float64 above sqrt(1/2), which itself is not a float64: comparing with this one is exact.
_SQRT_HALF = float.fromhex("0x1.6a09e667f3bcdp-1")
_BLOCK = 1 << 19  # elements of a matrix that are in float64 at once


def channel_scale(readers: Sequence[Linear], x: Doubles) -> Floats:
    """c [K] of a vector with magnitudes x [K], read by layers of weight [N_i, K]; the formula is above.

    log2 c is rounded to the nearest integer, exactly, and clamped to +-60. A channel with weight 0 in every row
    (or in every row with r > 0) would have c = 0; its share is taken as UNREAD, which keeps it in the residual
    without taking int8 range from the others. Where x is 0 too, c = UNREAD.
    """
    share = np.zeros(len(x))
    for reader in readers:
        for size in _absolute_blocks(reader.weight):
            r = (size * x).max(axis=1)
            r = np.where(r > 0, r, np.inf)
            with np.errstate(over="ignore"):  # where x is 0; the clamp in _nearest_power bounds the result
                np.maximum(share, (size / r[:, None]).max(axis=0), out=share)
    return _nearest_power(np.where(share > 0, share, UNREAD / np.where(x > 0, x, 1)))


def pair_scale(x: Doubles, y: Doubles) -> Floats:
    """c of a vector with magnitudes x whose products with another, of magnitudes y, are summed: a query and its key.

    c is the power of two nearest to sqrt(y / x), and the other vector takes 1 / c: then both have the magnitudes
    sqrt(x y), and neither loses a channel of the sum to the other's range. 1 where x or y is 0.
    """
    ratio = np.where((x > 0) & (y > 0), y, 1) / np.where((x > 0) & (y > 0), x, 1)
    return _nearest_power(np.sqrt(np.clip(ratio, MAX_SCALE**-2, MAX_SCALE**2)))


def linear_magnitude(linear: Linear, x: Doubles, residual: Doubles | None = None) -> Doubles:
    """X [N] of the result of a layer (and the activation after it) for an input with magnitudes x [K].

        X[n] = max(max over k of |W[n][k]| x[k], |b[n]|, |residual_scale[n]| residual[n])

    With a LayerNorm that of the norm. NoNorm is already folded into W, b and residual_scale.
    """
    if linear.norm is not None:
        return norm_magnitude(linear.norm)
    rows = [(size * x).max(axis=1) for size in _absolute_blocks(linear.weight)]
    peak = np.maximum(np.concatenate(rows), np.abs(linear.bias))
    if residual is not None and linear.residual_scale is not None:
        peak = np.maximum(peak, np.abs(linear.residual_scale) * residual)
    magnitude: Doubles = np.minimum(peak, MAX_MAGNITUDE)
    return magnitude


def norm_magnitude(norm: Norm) -> Doubles:
    """X [N] = |weight| + |bias| of a LayerNorm: its result one standard deviation from the mean."""
    return np.abs(norm.weight.astype(np.float64)) + np.abs(norm.bias)


def table_magnitude(table: Floats) -> Doubles:
    """X [N] of a row of a table [rows, N]: the largest value in each column."""
    peak: Doubles = np.max([size.max(axis=0) for size in _absolute_blocks(table)], axis=0)
    return peak


def position_magnitude(table: Floats) -> Doubles:
    """X [N] of a position: the median of each column, the lower one if the number of positions is even.

    Trained tables have a few rows, such as that of [CLS], whose channels are a thousand times larger than all others.
    """
    rows: Doubles = np.sort(np.abs(table), axis=0)[(len(table) - 1) // 2].astype(np.float64)
    return rows


def _absolute_blocks(matrix: Floats) -> Iterator[Doubles]:
    """|matrix| in float64, a few rows at a time."""
    rows = max(1, _BLOCK // matrix.shape[1])
    for start in range(0, len(matrix), rows):
        yield np.abs(matrix[start : start + rows].astype(np.float64))


def _nearest_power(values: Doubles) -> Floats:
    """The power of two nearest to each positive value in log2, within the limits of a scale."""
    mantissa, exponent = np.frexp(np.clip(values, 1 / MAX_SCALE, MAX_SCALE))
    power: Floats = np.ldexp(np.float32(1), exponent - (mantissa < _SQRT_HALF))
    return power
