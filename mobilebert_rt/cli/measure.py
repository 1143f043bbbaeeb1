"""Time and memory of model calls, measured so that the numbers mean something."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

NANOSECONDS_A_MILLISECOND = 1e6


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds of the calls: the 50th, 90th and 99th percentile, the mean, and how many were timed."""

    p50: float
    p90: float
    p99: float
    mean: float
    calls: int


def timing(nanoseconds: Sequence[int]) -> Timing:
    """Percentiles by numpy's linear rule; with few calls p99 is near the slowest."""
    values = np.asarray(nanoseconds, dtype=np.float64) / NANOSECONDS_A_MILLISECOND
    p50, p90, p99 = np.percentile(values, [50, 90, 99]).tolist()
    return Timing(p50, p90, p99, float(values.mean()), len(values))


def clock(call: Callable[[], object]) -> int:
    """Nanoseconds of one call."""
    begin = time.perf_counter_ns()
    call()
    return time.perf_counter_ns() - begin


def repeat(call: Callable[[], object], *, warmup: int, repeats: int, seconds: float) -> Timing:
    """Time `repeats` calls after `warmup` untimed ones; fewer, but one at least, after `seconds`."""
    for _ in range(warmup):
        call()
    deadline = time.monotonic() + seconds
    times = [clock(call)]
    while len(times) < repeats and time.monotonic() < deadline:
        times.append(clock(call))
    return timing(times)


def reset_peak_memory() -> bool:
    """Start the process's peak memory anew. False where the system cannot: the peak is then the process's."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def peak_memory() -> int | None:
    """Largest resident memory of this process in bytes since the last reset, None where it is not told."""
    try:
        for line in Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    if sys.platform == "win32":
        return None
    import resource  # noqa: PLC0415 - not on every system

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024
