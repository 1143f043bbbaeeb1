"""The error and the warning of this package."""

from __future__ import annotations


class TrainingError(ValueError):
    """Wrong input (a corpus, a configuration, a checkpoint, a label), raised before anything is written."""


class TrainingWarning(UserWarning):
    """Input that is legal and probably not what was meant. `mbrt-train` prints it as one line."""
