"""Where the time of a call goes, by operation and layer: `Profile`, which `Model.profile` returns."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from mobilebert_rt import _core
from mobilebert_rt.errors import InputError

# Columns of the engine's totals and events, and its first stages; csrc/engine/profile.h has them.
_CALLS, _NANOSECONDS, _MACS_S8, _MACS_F32, _WEIGHT_BYTES = range(5)
_STAGES = ("call", "embeddings", "head")

_PEAK_SECONDS = 0.0002  # short: on a busy machine a round should fit between two interruptions
_PEAK_ROUNDS = 5

Counts = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Part:
    """One operation in one layer, per inference.

    calls: how often, over all panels and threads. milliseconds: median over the repeats, of the mean over the threads,
    so that parts add up to the whole call. macs_s8, macs_f32: multiply-accumulates. weight_bytes: of the model file,
    counted again for each panel that reads them.
    """

    layer: str
    operation: str
    calls: int
    milliseconds: float
    macs_s8: int
    macs_f32: int
    weight_bytes: int


@dataclass(frozen=True, slots=True)
class Line:
    """Parts added up: an operation over all layers, or a layer over all operations.

    share: of the sum of all parts, 0 to 1. The rates are those of one thread while it is at it, None where there is
    nothing to count: gmacs_per_second; share_of_peak, 0 to 1, of what this processor's own multiply instruction
    reaches; gigabytes_per_second of weights (1e9 bytes).
    """

    name: str
    calls: int
    milliseconds: float
    share: float
    macs: int
    weight_bytes: int
    gmacs_per_second: float | None
    share_of_peak: float | None
    gigabytes_per_second: float | None


@dataclass(frozen=True)
class Profile:
    """What the calls of a profile took.

    total_ms: median of the engine's part of a call, from the first thread's begin to the last one's end. call_ms,
    profiled_call_ms: medians of the whole call from Python, without and with profiling. peaks: GMAC/s of one thread by
    precision, measured in the same session. events: of the fastest repeat, for each thread [n, 5] of begin and end in
    nanoseconds, stage, operation, rows; dropped_events had no room there (the sums have them).
    """

    isa: str
    threads: int
    sequences: int
    tokens: int
    repeats: int
    total_ms: float
    call_ms: float
    profiled_call_ms: float
    peaks: dict[str, float]
    parts: tuple[Part, ...] = field(repr=False)
    events: tuple[Counts, ...] = field(repr=False, compare=False)
    dropped_events: int

    @property
    def accounted(self) -> float:
        """The sum of all parts as a share of total_ms: near 1 on a quiet machine.

        A call is as a rule interrupted somewhere when other programs want the processor, but a given part seldom is:
        the medians of the parts leave the interruptions out, that of the call does not.
        """
        return sum(part.milliseconds for part in self.parts) / self.total_ms

    @property
    def overhead(self) -> float:
        """What profiling itself cost, as a share of the call without it; its noise may make it negative."""
        return self.profiled_call_ms / self.call_ms - 1

    @property
    def operations(self) -> tuple[Line, ...]:
        """Each operation over all layers, the slowest first."""
        lines = self._lines(lambda part: part.operation)
        return tuple(sorted(lines, key=lambda line: -line.milliseconds))

    @property
    def layers(self) -> tuple[Line, ...]:
        """Each layer over all operations, and before and behind them what is in no layer; in the model's order."""
        return self._lines(lambda part: part.layer)

    def table(self, by: str = "operation") -> str:
        """Plain text, a line for each operation or layer. by: "operation" or "layer"; else InputError."""
        if by not in ("operation", "layer"):
            raise InputError(f'by={by!r} is not known; use "operation" or "layer"')
        lines = self.operations if by == "operation" else self.layers
        header = [by, "calls", "ms", "share", "GMAC/s", "of peak", "GB/s"]
        total = self._line("total", self.parts)
        rows = [_cells(line) for line in [*lines, total]]
        widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
        text = [_aligned(row, widths) for row in [header, *rows]]
        return "\n".join([self._title(), *text, *self._notes()])

    def trace(self) -> dict[str, Any]:
        """The fastest repeat in Chrome's trace event format, one track per thread: call, layers, operations.

        `json.dump` it to a file and open that in ui.perfetto.dev or chrome://tracing. Times are microseconds.
        """
        names = _core.operation_names()
        found: list[dict[str, Any]] = []
        for thread, events in enumerate(self.events):
            name = f"thread {thread}" + (" (the caller)" if thread == 0 else "")
            found.append({"ph": "M", "name": "thread_name", "pid": 0, "tid": thread, "args": {"name": name}})
            rows = events.tolist()
            if rows:
                found.append(_span("call", thread, rows[0][0], rows[-1][1]))
            for stage, run in _runs(rows):
                if stage != 0:
                    found.append(_span(_stage_name(stage), thread, run[0][0], run[-1][1]))
                found.extend(_span(names[event[3]], thread, event[0], event[1], rows=event[4]) for event in run)
        return {"traceEvents": found, "displayTimeUnit": "ms", "otherData": {"call": self._title()}}

    def to_dict(self) -> dict[str, Any]:
        """All numbers but the events, for `json`."""
        alone = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ("parts", "events")}
        return {
            **alone,
            "accounted": self.accounted,
            "overhead": self.overhead,
            "operations": [asdict(line) for line in self.operations],
            "layers": [asdict(line) for line in self.layers],
            "parts": [asdict(part) for part in self.parts],
        }

    def to_json(self) -> str:
        """`to_dict` as JSON text."""
        return json.dumps(self.to_dict(), allow_nan=False)

    def _lines(self, name_of: Callable[[Part], str]) -> tuple[Line, ...]:
        found: dict[str, list[Part]] = {}
        for part in self.parts:
            found.setdefault(name_of(part), []).append(part)
        return tuple(self._line(name, parts) for name, parts in found.items())

    def _line(self, name: str, parts: Sequence[Part]) -> Line:
        milliseconds = sum(part.milliseconds for part in parts)
        s8, f32 = sum(part.macs_s8 for part in parts), sum(part.macs_f32 for part in parts)
        weight_bytes = sum(part.weight_bytes for part in parts)
        nanoseconds = milliseconds * self.threads * 1e6  # of all threads together
        at_peak = s8 / self.peaks["int8"] + f32 / self.peaks["fp32"]
        timed = nanoseconds > 0
        return Line(
            name,
            sum(part.calls for part in parts),
            milliseconds,
            milliseconds / (self.accounted * self.total_ms),
            s8 + f32,
            weight_bytes,
            (s8 + f32) / nanoseconds if s8 + f32 and timed else None,
            at_peak / nanoseconds if s8 + f32 and timed else None,
            weight_bytes / nanoseconds if weight_bytes and timed else None,
        )

    def _title(self) -> str:
        return (
            f"{_count(self.tokens, 'token')} in {_count(self.sequences, 'sequence')}, {self.isa}, "
            f"{_count(self.threads, 'thread')}: {self.total_ms:.3f} ms, median of {self.repeats}"
        )

    def _notes(self) -> list[str]:
        notes = [
            f"peak of one thread: {self.peaks['int8']:.1f} GMAC/s in int8, {self.peaks['fp32']:.1f} in fp32",
            f"whole call from Python {self.call_ms:.3f} ms, profiled {self.profiled_call_ms:.3f} ms: "
            f"profiling costs {self.overhead:+.1%}",
        ]
        if self.accounted < 0.9:
            notes.append(f"lines add up to {self.accounted:.0%} of the call: other programs interrupt it")
        if self.threads > 1:
            notes.append("ms: mean of the threads; rates: of one thread")
        if self.dropped_events:
            notes.append(f"the trace lacks its last {self.dropped_events:,} events; the table lacks none")
        return notes


@dataclass(frozen=True)
class _Repeat:
    """One profiled call: [stages, operations, 5] totals of all threads, how many worked, nanoseconds."""

    totals: Counts
    threads: int
    nanoseconds: int


class Profiler:
    """Takes a model's profile. run(recorder) does the call once and writes its times to the recorder, if any."""

    def __init__(self, core: _core.Model, num_threads: int, run: Callable[[_core.Profile | None], object]) -> None:
        self._isa = core.isa
        self._run = run
        self._recorder = _core.Profile(core, num_threads)
        self._repeats: list[_Repeat] = []
        self._events: tuple[Counts, ...] = ()
        self._dropped = 0

    def measure(self, sequences: int, tokens: int, repeats: int, warmup: int) -> Profile:
        """Repeat the call, profiled and not in turns. Raises InputError for fewer than 1 repeat or 0 warm-ups."""
        if repeats < 1 or warmup < 0:
            raise InputError(f"repeats={repeats} should be at least 1, and warmup={warmup} at least 0")
        for _ in range(warmup):
            self._run(None)
            self._run(self._recorder)
        peak = _Peak(self._isa)
        peak.measure(_PEAK_ROUNDS)
        plain: list[int] = []
        profiled: list[int] = []
        for i in range(repeats):
            # Who comes second finds the caches and the clock as the other left them: they change places.
            for recorded in (False, True) if i % 2 else (True, False):
                begin = time.perf_counter_ns()
                self._run(self._recorder if recorded else None)
                (profiled if recorded else plain).append(time.perf_counter_ns() - begin)
                if recorded:
                    self._keep()
            # The clock of a processor moves: the peak should be one of these same moments.
            peak.measure(1)
        return Profile(
            isa=self._isa,
            threads=max(repeat.threads for repeat in self._repeats),
            sequences=sequences,
            tokens=tokens,
            repeats=repeats,
            total_ms=_median_ms(repeat.nanoseconds for repeat in self._repeats),
            call_ms=_median_ms(plain),
            profiled_call_ms=_median_ms(profiled),
            peaks=peak.best,
            parts=self._parts(),
            events=self._events,
            dropped_events=self._dropped,
        )

    def _keep(self) -> None:
        recorder = self._recorder
        totals = recorder.totals()
        # The engine may have had fewer threads than it was allowed.
        threads = max(1, int(totals[..., _CALLS].any(axis=(1, 2)).sum()))
        fastest = min((repeat.nanoseconds for repeat in self._repeats), default=recorder.nanoseconds + 1)
        if recorder.nanoseconds < fastest:
            self._events = tuple(recorder.events(thread) for thread in range(threads))
            self._dropped = recorder.dropped_events
        self._repeats.append(_Repeat(totals.sum(axis=0), threads, recorder.nanoseconds))

    def _parts(self) -> tuple[Part, ...]:
        times = [repeat.totals[..., _NANOSECONDS] / repeat.threads for repeat in self._repeats]
        milliseconds = np.median(times, axis=0) / 1e6
        counts = np.median([repeat.totals for repeat in self._repeats], axis=0).round().astype(np.int64)
        names = _core.operation_names()
        found = []
        for stage in _model_order(len(counts)):
            for operation, name in enumerate(names):
                c = counts[stage, operation].tolist()
                if c[_CALLS] == 0:
                    continue
                spent = float(milliseconds[stage, operation])
                part = Part(_stage_name(stage), name, c[_CALLS], spent, c[_MACS_S8], c[_MACS_F32], c[_WEIGHT_BYTES])
                found.append(part)
        return tuple(found)


def _stage_name(stage: int) -> str:
    return _STAGES[stage] if stage < len(_STAGES) else f"layer {stage - len(_STAGES)}"


def _model_order(stages: int) -> list[int]:
    """The call itself, embeddings, the layers, head."""
    call, embeddings, head = range(len(_STAGES))
    return [call, embeddings, *range(len(_STAGES), stages), head]


def _runs(events: list[list[int]]) -> Iterable[tuple[int, list[list[int]]]]:
    """Neighbouring events of one stage together."""
    run: list[list[int]] = []
    for event in events:
        if run and run[-1][2] != event[2]:
            yield run[-1][2], run
            run = []
        run.append(event)
    if run:
        yield run[-1][2], run


def _span(name: str, thread: int, begin: int, end: int, **facts: int) -> dict[str, Any]:
    span = {"ph": "X", "name": name, "pid": 0, "tid": thread, "ts": begin / 1e3, "dur": (end - begin) / 1e3}
    return {**span, "args": facts}


class _Peak:
    """best: the most GMAC/s that a set's multiply instructions did in a round, by precision."""

    def __init__(self, isa: str) -> None:
        self._isa = isa
        self._iterations = {"int8": 1000, "fp32": 1000}
        self.best = dict.fromkeys(self._iterations, 0.0)

    def measure(self, rounds: int) -> None:
        """Try so many rounds more."""
        for precision, run in (("int8", _core.kernels.peak_s8), ("fp32", _core.kernels.peak_f32)):
            done = 0
            while done < rounds:
                begin = time.perf_counter()
                macs = run(self._isa, self._iterations[precision])
                seconds = time.perf_counter() - begin
                if seconds < _PEAK_SECONDS:
                    self._iterations[precision] *= 2
                    continue
                self.best[precision] = max(self.best[precision], macs / seconds / 1e9)
                done += 1


def _median_ms(nanoseconds: Iterable[int]) -> float:
    return float(np.median(list(nanoseconds))) / 1e6


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _cells(line: Line) -> list[str]:
    def rate(value: float | None, digits: int) -> str:
        return "-" if value is None else f"{value:,.{digits}f}"

    peak = "-" if line.share_of_peak is None else f"{line.share_of_peak:.0%}"
    return [
        line.name,
        f"{line.calls:,}",
        f"{line.milliseconds:.3f}",
        f"{line.share:.1%}",
        rate(line.gmacs_per_second, 1),
        peak,
        rate(line.gigabytes_per_second, 2),
    ]


def _aligned(cells: list[str], widths: list[int]) -> str:
    """Names to the left, numbers to the right."""
    numbers = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
    return "  ".join([cells[0].ljust(widths[0]), *numbers])
