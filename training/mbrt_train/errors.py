"""The one error of this package that a user meets: what is wrong, where, and how to mend it."""

from __future__ import annotations


class TrainingError(ValueError):
    """Wrong input (a corpus, a configuration, a checkpoint, a label), found before anything is written."""
