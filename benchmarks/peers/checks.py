"""Does everybody run the same model? Their last hidden states, token by token, before any clock is started."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

States = Sequence[NDArray[np.float32]]

# Of the largest value of a token. Engines add up in different orders; 24 random layers make 1e-5 of it, not 1e-3.
FLOAT_ERROR = 1e-3
# Mean cosine of the tokens. Every int8 engine rounds in its own way, in 24 random layers; another model gives 0.
LEAST_COSINE = {"fp32": 0.9999, "bf16": 0.99, "int8": 0.9}
# [PAD] leaks into the last token through the trigram, so whoever must pad computes that token otherwise.
LEAST_COSINE_PADDED = 0.9


@dataclass(frozen=True)
class Agreement:
    """How close two sets of states are: largest relative error of a token, mean and least cosine."""

    error_of_rows: float
    cosine: float
    least_cosine: float

    def why_not(self, precision: str, padded: bool) -> str | None:
        """Why this is another model, None if it is the same."""
        least = LEAST_COSINE_PADDED if padded else LEAST_COSINE[precision]
        if not self.cosine >= least:
            return f"it computes something else: mean cosine {self.cosine:.4f} to the reference, {least} is expected"
        if precision == "fp32" and not padded and not self.error_of_rows <= FLOAT_ERROR:
            return f"it computes something else: relative error {self.error_of_rows:.1e}, {FLOAT_ERROR:.0e} is allowed"
        return None


def load(path: Path) -> list[NDArray[np.float32]]:
    """States that a worker wrote."""
    with np.load(path, allow_pickle=False) as found:
        return [found[str(i)] for i in range(len(found.files))]


def compare(states: States, reference: States) -> Agreement:
    """States of the same texts in the same order; other shapes agree in nothing."""
    if [s.shape for s in states] != [r.shape for r in reference]:
        return Agreement(float("inf"), float("nan"), float("nan"))
    a, b = (np.concatenate(list(part)).astype(np.float64) for part in (states, reference))
    norms = np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1)
    cosines = np.sum(a * b, axis=1) / norms
    errors = np.abs(a - b).max(axis=1) / np.abs(b).max(axis=1)
    return Agreement(float(errors.max()), float(cosines.mean()), float(cosines.min()))
