"""The scale of each channel of a quantised vector, from the weights alone. Everything here decides bits.

    X[k]   how large channel k of the vector may be: carried through the model with maxima for sums
    c[k]   what the channel is multiplied with before it is quantised: a power of two

    r[n] = max over j of |W[n][j]| X[j]         for every row n of every linear layer W that reads it
    c[k] = max over n of |W[n][k]| / r[n]       without rows of r[n] = 0; then the nearest power of two

|W[n][k]| X[k] / r[n] is the share of channel k in what row n sees, so c[k] X[k] is the largest share that
the channel has anywhere: 1 for one that decides some row, little for one that hardly matters, however
large it is. A model whose channels are multiplied by powers of two, and divided where they are read, has
the same products W X, hence the same c X and the same integers.

Only comparisons, absolute values, single float64 operations on elements (IEEE, round to nearest even) and
medians by sorting are used: no sums and no matrix products, whose order differs between platforms.
docs/quantisation.md says what this is measured to do, and what was tried beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mobilebert_rt.conversion.fold import Embeddings, Floats, Linear, Norm

Doubles = NDArray[np.float64]

# Scales stay within 2^-60 .. 2^60, so that no quotient of two of them leaves float32.
LARGEST_SCALE = 2.0**60
# Magnitudes stay below this, so that a float32 times one is a finite float64.
LARGEST_MAGNITUDE = 2.0**800
# A channel that nobody reads is this times smaller than one that decides a row.
UNREAD = 2.0**-40
# The float64 next above sqrt(1/2): none lies between the two, so comparing with this one is exact.
_SQRT_HALF = float.fromhex("0x1.6a09e667f3bcdp-1")
_BLOCK = 1 << 19  # elements of a matrix that are in float64 at once


def channel_scale(readers: Sequence[Linear], x: Doubles) -> Floats:
    """c [K] of a vector with magnitudes x [K], read by layers of weight [N_i, K]; the formula is above.

    log2 c is rounded to the nearest integer, exactly, and clamped to +-60. A channel with weight 0 in
    every row (or in every row with r > 0) would have c = 0; it gets the power of two nearest to UNREAD /
    x (to UNREAD where x is 0), as a channel does whose share is UNREAD: it lives on in the residual, and
    never takes the int8 range from the others.
    """
    share = np.zeros(len(x))
    for reader in readers:
        for size in _absolute_blocks(reader.weight):
            r = (size * x).max(axis=1)
            r = np.where(r > 0, r, np.inf)
            with np.errstate(over="ignore"):  # where x is 0; the clamp below takes care of it
                np.maximum(share, (size / r[:, None]).max(axis=0), out=share)
    return _nearest_power(np.where(share > 0, share, UNREAD / np.where(x > 0, x, 1)))


def pair_scale(x: Doubles, y: Doubles) -> Floats:
    """c of a vector with magnitudes x whose products with another, of magnitudes y, are summed: a query and its key.

    c is the power of two nearest to sqrt(y / x), and the other vector takes 1 / c: then both have the magnitudes
    sqrt(x y), and neither loses a channel of the sum to the other's range. 1 where x or y is 0.
    """
    ratio = np.where((x > 0) & (y > 0), y, 1) / np.where((x > 0) & (y > 0), x, 1)
    return _nearest_power(np.sqrt(np.clip(ratio, LARGEST_SCALE**-2, LARGEST_SCALE**2)))


def linear_magnitude(linear: Linear, x: Doubles, residual: Doubles | None = None) -> Doubles:
    """X [N] of what a layer (and an activation behind it) makes of an input with magnitudes x [K].

        X[n] = max(max over k of |W[n][k]| x[k], |b[n]|, |residual_scale[n]| residual[n])

    NoNorm being folded into W, b and residual_scale; or that of its LayerNorm, if it has one.
    """
    if linear.norm is not None:
        return norm_magnitude(linear.norm)
    rows = [(size * x).max(axis=1) for size in _absolute_blocks(linear.weight)]
    peak = np.maximum(np.concatenate(rows), np.abs(linear.bias))
    if residual is not None and linear.residual_scale is not None:
        peak = np.maximum(peak, np.abs(linear.residual_scale) * residual)
    magnitude: Doubles = np.minimum(peak, LARGEST_MAGNITUDE)
    return magnitude


def norm_magnitude(norm: Norm) -> Doubles:
    """X [N] = |weight| + |bias| of a LayerNorm: where its result is, one deviation from the mean."""
    return np.abs(norm.weight.astype(np.float64)) + np.abs(norm.bias)


def embeddings_magnitude(embeddings: Embeddings, taps: int) -> Doubles:
    """X [H] of the embeddings: the largest of words (through the projection), positions and types.

    Of the positions it is the median, the lower one if their number is even: real tables have a few rows,
    such as that of [CLS], whose channels are a thousand times those of all others.
    """
    if embeddings.norm is not None:
        return norm_magnitude(embeddings.norm)
    peak: Doubles = word_magnitude(embeddings)
    if embeddings.projection is not None:
        peak = linear_magnitude(embeddings.projection, np.tile(peak, taps))
    positions = np.sort(np.abs(embeddings.position), axis=0)
    peak = np.maximum(peak, positions[(len(positions) - 1) // 2])
    if embeddings.type is not None:
        peak = np.maximum(peak, np.abs(embeddings.type).max(axis=0))
    return peak


def word_magnitude(embeddings: Embeddings) -> Doubles:
    """X [E] of a word vector: the largest value in each column of the table."""
    peak: Doubles = np.max([size.max(axis=0) for size in _absolute_blocks(embeddings.word)], axis=0)
    return peak


def _absolute_blocks(matrix: Floats) -> Iterator[Doubles]:
    """|matrix| in float64, a few rows at a time."""
    rows = max(1, _BLOCK // matrix.shape[1])
    for start in range(0, len(matrix), rows):
        yield np.abs(matrix[start : start + rows].astype(np.float64))


def _nearest_power(values: Doubles) -> Floats:
    """The power of two nearest to each positive value in log2, within the limits of a scale."""
    mantissa, exponent = np.frexp(np.clip(values, 1 / LARGEST_SCALE, LARGEST_SCALE))
    power: Floats = np.ldexp(np.float32(1), exponent - (mantissa < _SQRT_HALF))
    return power
