"""The paper's tables with columns measured here, and the JSON that they are made of."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.paper.costs import flops, parameters
from benchmarks.paper.systems import LENGTH, OPTIMISATIONS, SYSTEMS, System
from benchmarks.peers.documents import provisional
from benchmarks.peers.report import table

FORMAT = 1
NOTHING = "-"
PRECISIONS = ("fp32", "int8")
FIRST_OF_TABLE_4, FIRST_OF_TABLE_7 = "bert-base", "mobilebert"  # what the relative columns are relative to


@dataclass(frozen=True)
class Timing:
    """Seconds of one text of 128 tokens: median of all calls, quartiles of the rounds; or why there are none."""

    median: float | None
    first_quartile: float | None = None
    third_quartile: float | None = None
    calls: int = 0
    error: str | None = None


@dataclass
class Findings:
    """One run. table4, table7: system's key -> precision -> timing."""

    command: str
    date: str
    machine: dict[str, Any]
    version: str
    threads: int
    quick: bool
    table4: dict[str, dict[str, Timing]] = field(default_factory=dict)
    table7: dict[str, dict[str, Timing]] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(f"{path.name}.{os.getpid()}")
        scratch.write_text(json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n", encoding="utf-8")
        os.replace(scratch, path)


def read(path: Path) -> Findings:
    """A run that was written. Raises ValueError for another format."""
    found = json.loads(path.read_text(encoding="utf-8"))
    if found.pop("format", None) != FORMAT:
        raise ValueError(f"{path} is not a result of benchmarks/paper in format {FORMAT}")
    for name in ("table4", "table7"):
        found[name] = {
            key: {precision: Timing(**timing) for precision, timing in timings.items()}
            for key, timings in found[name].items()
        }
    return Findings(**found)


def circumstances(found: Findings) -> str:
    """Where the figures are from, and whether they may be quoted."""
    if not found.table4 and not found.table7:
        return "Latencies have not been measured on a quiet machine yet."
    machine = found.machine
    where = (
        f"{machine.get('processor')} ({', '.join(machine.get('instructions', []))}), "
        f"{found.threads} thread{'s' * (found.threads > 1)}, mobilebert_rt {found.version}, {found.date}: "
        f"medians of alternating turns, {LENGTH} tokens, random weights."
    )
    warning = provisional(machine, found.quick)
    return "\n\n".join(part for part in (warning, where, f"`{found.command}`") if part)


def table4(found: Findings, systems: Sequence[System]) -> str:
    """Size, FLOPs and latency: published, and here. Latencies are also told as shares of BERT_BASE's."""
    base = next(system for system in SYSTEMS if system.key == FIRST_OF_TABLE_4).published.milliseconds
    rows = []
    for system in systems:
        published, config = system.published, system.config
        timings = found.table4.get(system.key, {})
        rows.append(
            [
                system.name,
                _number(published.parameters, 1),
                _number(parameters(config) / 1e6 if config else None, 1),
                _number(published.flops, 1),
                _number(flops(config, LENGTH) / 1e9 if config else None, 2),
                _number(published.milliseconds, 0),
                *(_milliseconds(timings.get(precision)) for precision in PRECISIONS),
                _percent(published.milliseconds, base),
                *(_relative(found.table4, system.key, FIRST_OF_TABLE_4, p, _percent) for p in PRECISIONS),
                _number(published.glue, 1),
            ]
        )
    header = ["", "10^6 params, paper", "here", "GFLOPs, paper", "here", "ms, Pixel 4", "fp32 here", "int8 here"]
    header += ["of BERT_BASE, Pixel 4", "fp32 here", "int8 here", "GLUE, paper"]
    notes = [f"- {system.name}: {system.note}." for system in systems if system.note]
    notes += _failures(found.table4)
    return "\n\n".join([circumstances(found), table(header, rows), "\n".join(notes)])


def table7(found: Findings, systems: Sequence[System]) -> str:
    """Latency of the four variants, and how many times that of NoNorm + ReLU it is."""
    base = next(system for system in OPTIMISATIONS if system.key == FIRST_OF_TABLE_7).published.milliseconds
    rows = []
    for system in systems:
        timings = found.table7.get(system.key, {})
        published = system.published.milliseconds
        rows.append(
            [
                system.name,
                _number(published, 0),
                *(_milliseconds(timings.get(precision)) for precision in PRECISIONS),
                _times(published, base),
                *(_relative(found.table7, system.key, FIRST_OF_TABLE_7, p, _times) for p in PRECISIONS),
            ]
        )
    header = ["", "ms, Pixel 4", "fp32 here", "int8 here", "times NoNorm + ReLU, Pixel 4", "fp32 here", "int8 here"]
    notes = "\n".join(_failures(found.table7))
    return "\n\n".join(part for part in (circumstances(found), table(header, rows), notes) if part)


def _failures(timings: Mapping[str, Mapping[str, Timing]]) -> list[str]:
    return [
        f"- not measured: {key} in {precision}: {timing.error}"
        for key, own in timings.items()
        for precision, timing in own.items()
        if timing.error
    ]


def _relative(timings: Mapping[str, Mapping[str, Timing]], key: str, base: str, precision: str, said: Any) -> str:
    own, other = (timings.get(name, {}).get(precision) for name in (key, base))
    found: str = said(own.median if own else None, other.median if other else None)
    return found


def _percent(value: float | None, base: float | None) -> str:
    return NOTHING if value is None or not base else f"{100 * value / base:.0f} %"


def _times(value: float | None, base: float | None) -> str:
    return NOTHING if value is None or not base else f"{value / base:.2f}"


def _number(value: float | None, digits: int) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"


def _milliseconds(timing: Timing | None) -> str:
    """Median, and half the distance of the quartiles."""
    if timing is None or timing.median is None:
        return NOTHING
    half = ((timing.third_quartile or timing.median) - (timing.first_quartile or timing.median)) / 2
    return f"{1e3 * timing.median:.2f} ±{1e3 * half:.2f}"
