from __future__ import annotations

import sys

import numpy as np
import pytest

from mobilebert_rt.cli import measure


def test_percentiles_are_in_milliseconds() -> None:
    found = measure.timing([n * 1_000_000 for n in range(1, 102)])
    assert (found.p50, found.p90, found.p99, found.mean, found.calls) == (51, 91, 100, 51, 101)


def test_repeat_counts_warm_up_apart_and_stops_in_time() -> None:
    calls = []
    found = measure.repeat(lambda: calls.append(0), warmup=2, repeats=5, seconds=60)
    assert (len(calls), found.calls) == (7, 5)
    assert measure.repeat(lambda: None, warmup=0, repeats=10**9, seconds=0.01).calls < 10**6


@pytest.mark.skipif(sys.platform == "win32", reason="the system does not tell")
def test_peak_memory_sees_what_was_held_for_a_moment() -> None:
    measure.reset_peak_memory()
    before = measure.peak_memory()
    held = np.ones(40_000_000, dtype=np.uint8)
    del held
    after = measure.peak_memory()
    assert before is not None
    assert after is not None
    assert after - before > 30_000_000


@pytest.mark.skipif(not measure.reset_peak_memory(), reason="this system cannot start the peak anew")
def test_peak_memory_can_be_reset() -> None:
    held = np.ones(80_000_000, dtype=np.uint8)
    del held
    high = measure.peak_memory()
    measure.reset_peak_memory()
    low = measure.peak_memory()
    assert high is not None
    assert low is not None
    assert high - low > 60_000_000
