"""From the plugin's output to the executions of one inference."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.arm.counts import HEADER, parse, per_run
from scripts.common import ScriptError


def test_executions_of_overlapping_blocks_add_up_by_instruction() -> None:
    counts = parse([HEADER, "1000 3 5", "1004 2 7", "1000 3 1"])
    assert counts == {0x1000: 6, 0x1004: 13, 0x1008: 13}


def test_counts_of_another_format_are_rejected() -> None:
    with pytest.raises(ScriptError, match="the first line is not"):
        parse(["1000 3 5"])
    with pytest.raises(ScriptError, match="the first line is not"):
        parse([])


def test_start_up_cancels_out() -> None:
    one, three = Counter({0x10: 100, 0x20: 8}), Counter({0x10: 100, 0x20: 24, 0x30: 2})
    assert per_run(three, one, 2) == {0x20: 8.0, 0x30: 1.0}


def test_small_negative_differences_are_dropped_and_large_ones_are_an_error() -> None:
    assert per_run(Counter({0x10: 99, 0x20: 100_000}), Counter({0x10: 100}), 1) == {0x20: 100_000}
    with pytest.raises(ScriptError, match="the same program"):
        per_run(Counter({0x20: 100}), Counter({0x10: 100}), 1)
