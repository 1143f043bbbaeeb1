"""Time and memory of model calls."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds per call: percentiles by linear interpolation, mean, and the number of calls."""

    p50: float
    p90: float
    p99: float
    mean: float
    calls: int


def time_of(call: Callable[[], object]) -> float:
    """Milliseconds of one call."""
    begin = time.perf_counter_ns()
    call()
    return (time.perf_counter_ns() - begin) / 1e6


def measure(call: Callable[[], object], *, warmup: int, repeats: int, seconds: float) -> Timing:
    """Time up to `repeats` calls after `warmup` untimed ones; stop after `seconds`, but not before the first one."""
    for _ in range(warmup):
        call()
    deadline = time.monotonic() + seconds
    times = [time_of(call)]
    while len(times) < repeats and time.monotonic() < deadline:
        times.append(time_of(call))
    p50, p90, p99 = np.percentile(times, [50, 90, 99]).tolist()
    return Timing(p50, p90, p99, float(np.mean(times)), len(times))


def reset_peak_memory() -> bool:
    """Reset the process's peak memory. False where the system cannot."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        return False
    return True


def peak_memory() -> int | None:
    """Maximum resident memory of this process since the last reset, in bytes; None where the system does not tell."""
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
