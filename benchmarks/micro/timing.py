"""The peak of the machine, and the table of the micro-benchmarks."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.micro.calls import Call
from mobilebert_rt._core import kernels

PEAK_SECONDS = 0.002
ROUND_SECONDS = 0.0005  # some hundred times the overhead of a call from Python
ROUNDS = 60
CASE_SECONDS = 0.1
PEAKS = {"gemm_s8": kernels.peak_s8, "gemm_f32": kernels.peak_f32}


def calls_and_rounds(call: Call) -> tuple[int, int]:
    """Runs per round that make the overhead of Python negligible, and the number of rounds in CASE_SECONDS."""
    call.run(calls=1)  # the first call in a process is slow
    calls = 1
    while True:
        begin = time.perf_counter()
        call.run(calls=calls)
        seconds = time.perf_counter() - begin
        if seconds >= ROUND_SECONDS:
            return calls, max(3, min(ROUNDS, int(CASE_SECONDS / seconds)))
        calls *= 2


@dataclass(frozen=True)
class Row:
    """A line of the table. what: kernel or operation; rate: max of work per nanosecond over the rounds."""

    what: str
    operation: str
    isa: str
    shape: str
    epilogue: str
    rows: int
    microseconds: float
    rate: float


@dataclass
class Report:
    """The rows, and the max multiply-accumulates per nanosecond of each ISA's multiply instruction.

    The peak is measured before and after each benchmark, since the clock frequency changes.
    """

    rows: list[Row] = field(default_factory=list)
    peaks: dict[tuple[str, str], float] = field(default_factory=dict)
    iterations: dict[tuple[str, str], int] = field(default_factory=dict)

    def measure_peak(self, operation: str, isa: str) -> float:
        key = operation, isa
        while True:
            count = self.iterations.setdefault(key, 1000)
            begin = time.perf_counter()
            work = PEAKS[operation](isa, count)
            seconds = time.perf_counter() - begin
            if seconds >= PEAK_SECONDS:
                break
            self.iterations[key] *= 2
        self.peaks[key] = max(self.peaks.get(key, 0.0), work / seconds / 1e9)
        return self.peaks[key]

    def write(self, line: Callable[[str], None]) -> None:
        products = [row for row in self.rows if row.operation in PEAKS]
        others = [row for row in self.rows if row.operation not in PEAKS]
        if products:
            line("")
            line("products: GMAC/s, and share of the measured peak of the ISA's multiply instruction")
            for (operation, isa), peak in self.peaks.items():
                line(f"  peak of {operation} on {isa}: {peak:.1f} GMAC/s")
            line(f"  {'kernel':<26}{'K -> N':<12}{'epilogue':<10}{'rows':>5}{'µs':>10}{'GMAC/s':>9}{'of peak':>9}")
        for row in products:
            share = row.rate / self.peaks[row.operation, row.isa]
            line(
                f"  {row.what:<26}{row.shape:<12}{row.epilogue:<10}{row.rows:>5}{row.microseconds:>10.2f}"
                f"{row.rate:>9.1f}{share:>9.0%}"
            )
        if others:
            line("")
            line("row operations: elements per nanosecond")
            line(f"  {'operation':<20}{'isa':<12}{'width':<8}{'rows':>5}{'µs':>10}{'per ns':>9}")
        for row in others:
            line(f"  {row.what:<20}{row.isa:<12}{row.shape:<8}{row.rows:>5}{row.microseconds:>10.2f}{row.rate:>9.2f}")
