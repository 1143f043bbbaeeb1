"""Whether engines compute the same: comparison of last hidden states, token by token, before anything is timed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

States = Sequence[NDArray[np.float32]]

# Relative to a token's max value. Different summation orders give 1e-5 after 24 random layers, not 1e-3.
MAX_FLOAT_ERROR = 1e-3
# Mean cosine over tokens. int8 engines round differently in each of 24 random layers; another model gives 0.
MIN_COSINE = {"fp32": 0.9999, "bf16": 0.99, "int8": 0.9}
# [PAD] enters the last token through the trigram, so engines that pad compute that token differently.
MIN_COSINE_PADDED = 0.9


def load(path: Path) -> list[NDArray[np.float32]]:
    """States that a worker wrote."""
    with np.load(path, allow_pickle=False) as found:
        return [found[str(i)] for i in range(len(found.files))]


def compare(states: States, reference: States) -> dict[str, Any]:
    """The differences that a Result has, of the same texts in the same order; different shapes are a mismatch."""
    if [s.shape for s in states] != [r.shape for r in reference]:
        return {"relative_error": float("inf"), "cosine": float("nan"), "min_cosine": float("nan")}
    a, b = (np.concatenate(list(part)).astype(np.float64) for part in (states, reference))
    cosines = np.sum(a * b, axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    errors = np.abs(a - b).max(axis=1) / np.abs(b).max(axis=1)
    return {
        "relative_error": float(errors.max()),
        "cosine": float(cosines.mean()),
        "min_cosine": float(cosines.min()),
    }


def mismatch(found: dict[str, Any], precision: str, padded: bool) -> str | None:
    """Why these differences cannot be those of the same model; None if they are."""
    expected = MIN_COSINE_PADDED if padded else MIN_COSINE[precision]
    if not found["cosine"] >= expected:
        return f"other output than the reference: mean cosine {found['cosine']:.4f}; expected >= {expected}"
    error = found["relative_error"]
    if precision == "fp32" and not padded and not error <= MAX_FLOAT_ERROR:
        return f"other output than the reference: relative error {error:.1e}; expected <= {MAX_FLOAT_ERROR:.0e}"
    return None
