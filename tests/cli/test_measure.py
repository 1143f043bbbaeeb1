from __future__ import annotations

import sys
import time

import numpy as np
import pytest

from mobilebert_rt.cli import measure


def test_percentiles_are_in_milliseconds(monkeypatch: pytest.MonkeyPatch) -> None:
    times = [float(n) for n in range(1, 102)]
    monkeypatch.setattr(measure, "time_of", lambda call: times.pop())
    found = measure.measure(lambda: None, warmup=0, repeats=101, seconds=60)
    assert (found.p50, found.p90, found.p99, found.mean, found.calls) == (51, 91, 100, 51, 101)


def test_time_of_a_call_is_in_milliseconds() -> None:
    assert 10 <= measure.time_of(lambda: time.sleep(0.01)) < 1000


def test_warm_up_calls_are_not_counted_and_time_is_limited() -> None:
    calls = []
    found = measure.measure(lambda: calls.append(0), warmup=2, repeats=5, seconds=60)
    assert (len(calls), found.calls) == (7, 5)
    assert measure.measure(lambda: None, warmup=0, repeats=10**9, seconds=0.01).calls < 10**6


@pytest.mark.skipif(sys.platform == "win32", reason="the system does not report it")
def test_peak_memory_includes_freed_memory() -> None:
    measure.reset_peak_memory()
    before = measure.peak_memory()
    held = np.ones(40_000_000, dtype=np.uint8)
    del held
    after = measure.peak_memory()
    assert before is not None
    assert after is not None
    assert after - before > 30_000_000


@pytest.mark.skipif(not measure.reset_peak_memory(), reason="this system cannot reset the peak")
def test_peak_memory_can_be_reset() -> None:
    held = np.ones(80_000_000, dtype=np.uint8)
    del held
    high = measure.peak_memory()
    measure.reset_peak_memory()
    low = measure.peak_memory()
    assert high is not None
    assert low is not None
    assert high - low > 60_000_000
