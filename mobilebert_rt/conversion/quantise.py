"""Symmetric int8 quantisation of rows. Everything here determines the file's bits.

Only comparisons, absolute values and single float32 operations (IEEE, round to nearest even) are used, so
every platform gives the same integers and scales.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Rows below this are zero, as in the engine's quantiser: 127 / absmax must stay finite and exact enough.
MIN_ABSMAX = np.float32(2.0**-96)


def quantise_rows(rows: Floats) -> tuple[NDArray[np.int8], Floats]:
    """Symmetric int8 with one scale per row: [N, K] to integers [N, K] in [-127, 127] and scales [N].

        m     = max over k of |w[k]|
        m < 2^-96:  q = 0, scale = 1 / 127          (any number > 0 would do: the products are all 0)
        else        r = 127 / m,   q[k] = min(max(rint(w[k] * r), -127), 127),   scale = m / 127

    rint rounds to nearest, ties to even. A row times a power of two has its scale times that power, and the
    same q.
    """
    m = np.maximum(rows.max(axis=1), -rows.min(axis=1))
    live = m >= MIN_ABSMAX
    divisor: Floats = np.where(live, m, np.float32(1))
    r = np.where(live, np.float32(127) / divisor, np.float32(0))
    q = rows * r[:, None]
    np.rint(q, out=q)
    np.clip(q, np.float32(-127), np.float32(127), out=q)
    scale: Floats = divisor / np.float32(127)
    return q.astype(np.int8), scale
