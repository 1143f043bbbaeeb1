"""The time of a call by operation and layer: `Profile`, which `Model.profile` returns."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from mobilebert_rt import _core
from mobilebert_rt.errors import InputError

# Columns of the engine's totals, and its first stages: see csrc/engine/profile.h.
_CALLS, _NANOSECONDS = 0, 1  # then int8 and fp32 multiply-accumulates, bytes of weights
_STAGES = ("call", "embeddings", "head")

_PEAK_SECONDS = 0.0002  # short, so that a round fits between two interruptions on a busy machine
_PEAK_ROUNDS = 5

Counts = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Part:
    """One operation in one layer, per call of the model.

    calls: number over all panels and threads. milliseconds: median over the repeats of the mean over the threads, so
    that parts add up to the call. macs_s8, macs_f32: multiply-accumulates. weight_bytes: bytes of weights read, once
    per panel.
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
    """The sum of some parts: an operation over all layers, or a layer over all operations.

    share: of the sum of all parts, 0 to 1. Rates are per thread, None without such work: gmacs_per_second;
    share_of_peak, 0 to 1, of the peak of this processor's multiply instruction; gigabytes_per_second of weights
    (1e9 bytes).
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
    """The times of a profile.

    total_ms: median time in the engine, from the start of the first thread to the end of the last. call_ms,
    profiled_call_ms: median time of the whole call from Python, without and with profiling. peaks: GMAC/s of one thread
    by precision, measured between the repeats. events: of the fastest repeat, per thread [n, 5]: begin and end in
    nanoseconds, stage, operation, rows; dropped_events did not fit (the sums include them).
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
        """The sum of all parts divided by total_ms: near 1 on a quiet machine.

        On a busy machine most calls are interrupted somewhere, but a given part is seldom: the medians of the parts
        exclude interruptions, the median of the call does not.
        """
        return sum(part.milliseconds for part in self.parts) / self.total_ms

    @property
    def overhead(self) -> float:
        """The cost of profiling as a share of the call without it; noise may make it negative."""
        return self.profiled_call_ms / self.call_ms - 1

    @property
    def operations(self) -> tuple[Line, ...]:
        """Each operation over all layers, the slowest first."""
        return tuple(sorted(self._lines("operation"), key=lambda line: -line.milliseconds))

    @property
    def layers(self) -> tuple[Line, ...]:
        """Each layer over all operations, in the model's order; what belongs to no layer comes first and last."""
        return self._lines("layer")

    def table(self, by: str = "operation") -> str:
        """Plain text, one line per operation or layer. Raises InputError for another `by`."""
        if by not in ("operation", "layer"):
            raise InputError(f'by: found {by!r}; expected "operation" or "layer".')
        lines = self.operations if by == "operation" else self.layers
        header = [by, "calls", "ms", "share", "GMAC/s", "of peak", "GB/s"]
        rows = [header, *(_cells(line) for line in [*lines, self._line("total", self.parts)])]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        text = ["  ".join([name.ljust(widths[0]), *map(str.rjust, numbers, widths[1:])]) for name, *numbers in rows]
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
            for stage, events_of_stage in itertools.groupby(rows, key=lambda event: event[2]):
                run = list(events_of_stage)
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

    def _lines(self, by: str) -> tuple[Line, ...]:
        found: dict[str, list[Part]] = {}
        for part in self.parts:
            found.setdefault(getattr(part, by), []).append(part)
        return tuple(self._line(name, parts) for name, parts in found.items())

    def _line(self, name: str, parts: Sequence[Part]) -> Line:
        milliseconds = sum(part.milliseconds for part in parts)
        s8, f32 = sum(part.macs_s8 for part in parts), sum(part.macs_f32 for part in parts)
        weight_bytes = sum(part.weight_bytes for part in parts)
        nanoseconds = milliseconds * self.threads * 1e6  # of all threads together

        def rate(work: float) -> float | None:
            return work / nanoseconds if work and nanoseconds > 0 else None

        return Line(
            name=name,
            calls=sum(part.calls for part in parts),
            milliseconds=milliseconds,
            share=milliseconds / (self.accounted * self.total_ms),
            macs=s8 + f32,
            weight_bytes=weight_bytes,
            gmacs_per_second=rate(s8 + f32),
            share_of_peak=rate(s8 / self.peaks["int8"] + f32 / self.peaks["fp32"]),
            gigabytes_per_second=rate(weight_bytes),
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
            notes.append(f"the lines add up to {self.accounted:.0%} of the call: other programs interrupted it")
        if self.threads > 1:
            notes.append("ms: mean over the threads; rates: per thread")
        if self.dropped_events:
            notes.append(f"the trace lacks its last {self.dropped_events:,} events; the table includes them")
        return notes


@dataclass(frozen=True)
class _Repeat:
    """One profiled call: totals over the threads [stages, operations, 5], threads that worked, nanoseconds."""

    totals: Counts
    threads: int
    nanoseconds: int


class Profiler:
    """Profiles a model. run(recorder) calls it once and writes the times to the recorder, if any."""

    def __init__(self, core: _core.Model, num_threads: int, run: Callable[[_core.Profile | None], object]) -> None:
        self._isa = core.isa
        self._run = run
        self._recorder = _core.Profile(core, num_threads)
        self._repeats: list[_Repeat] = []
        self._events: tuple[Counts, ...] = ()
        self._dropped = 0

    def measure(self, sequences: int, tokens: int, repeats: int, warmup: int) -> Profile:
        """Repeat the call, alternately profiled and not. Raises InputError for repeats < 1 or warmup < 0."""
        for name, value, minimum in (("repeats", repeats, 1), ("warmup", warmup, 0)):
            if type(value) is not int or value < minimum:
                raise InputError(f"{name}: found {value!r}; expected at least {minimum}, a whole number.")
        for _ in range(warmup):
            self._run(None)
            self._run(self._recorder)
        peak = Peak(self._isa)
        peak.measure(_PEAK_ROUNDS)
        plain: list[int] = []
        profiled: list[int] = []
        for i in range(repeats):
            # The order alternates: the second call finds the caches and the clock as the first left them.
            for recorded in (False, True) if i % 2 else (True, False):
                begin = time.perf_counter_ns()
                self._run(self._recorder if recorded else None)
                (profiled if recorded else plain).append(time.perf_counter_ns() - begin)
                if recorded:
                    self._keep()
            # The processor's clock varies: the peak is measured next to the calls.
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
        # The engine may have used fewer threads than it was allowed.
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
                calls, _, macs_s8, macs_f32, weight_bytes = counts[stage, operation].tolist()
                if calls > 0:
                    spent = float(milliseconds[stage, operation])
                    found.append(Part(_stage_name(stage), name, calls, spent, macs_s8, macs_f32, weight_bytes))
        return tuple(found)


def _stage_name(stage: int) -> str:
    return _STAGES[stage] if stage < len(_STAGES) else f"layer {stage - len(_STAGES)}"


def _model_order(stages: int) -> list[int]:
    """The call itself, embeddings, the layers, head."""
    call, embeddings, head = range(len(_STAGES))
    return [call, embeddings, *range(len(_STAGES), stages), head]


def _span(name: str, thread: int, begin: int, end: int, **facts: int) -> dict[str, Any]:
    span = {"ph": "X", "name": name, "pid": 0, "tid": thread, "ts": begin / 1e3, "dur": (end - begin) / 1e3}
    return {**span, "args": facts}


class Peak:
    """best: the maximum GMAC/s of the kernel set's multiply instruction over the rounds, by precision."""

    def __init__(self, isa: str) -> None:
        self._isa = isa
        self._iterations = {"int8": 1000, "fp32": 1000}
        self.best = dict.fromkeys(self._iterations, 0.0)

    def measure(self, rounds: int) -> None:
        """Run some more rounds."""
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
