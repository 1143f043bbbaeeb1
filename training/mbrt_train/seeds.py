"""Seeds that depend on a place in a run alone, so that interruptions do not change random numbers."""

from __future__ import annotations


def hash_seed(*numbers: int) -> int:
    """A seed from several numbers, the same on every machine."""
    found = 0
    for number in numbers:
        found = (found * 1_000_003 + number + 12_345) % (1 << 63)
    return found
