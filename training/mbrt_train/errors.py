"""The error that this package raises for wrong input."""

from __future__ import annotations


class TrainingError(ValueError):
    """Wrong input (a corpus, a configuration, a checkpoint, a label), raised before anything is written."""
