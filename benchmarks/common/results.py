"""The results of a run, as they are written to JSON and read by tables, ratios and the plot."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FORMAT = 2


@dataclass(frozen=True)
class Result:
    """One entry of one group. Times in seconds; memory in bytes above Python with numpy. None: not measured.

    error: why there are no times. first_quartile, third_quartile: of the rounds' medians. Against the reference:
    relative_error, the maximum over tokens of max |a - b| / max |b|; cosine and min_cosine, mean and min over tokens.
    """

    case: str
    group: str
    peer: str
    model: str
    precision: str
    threads: int
    batch: int
    copies: int
    length: int
    texts: int
    error: str | None = None
    median: float | None = None
    first_quartile: float | None = None
    third_quartile: float | None = None
    rounds: list[float] = field(default_factory=list)
    calls: int = 0
    cosine: float | None = None
    min_cosine: float | None = None
    relative_error: float | None = None
    import_time: float | None = None
    load_time: float | None = None
    first_call: float | None = None
    memory: float | None = None

    @property
    def milliseconds(self) -> str:
        """Median ± half the interquartile range."""
        median = self.median or float("nan")
        half = ((self.third_quartile or median) - (self.first_quartile or median)) / 2
        return f"{1e3 * median:.2f} ±{1e3 * half:.2f}"

    @property
    def texts_per_second(self) -> float:
        return self.texts / (self.median or float("nan"))

    @property
    def cold_start(self) -> float | None:
        """Loading plus the first call, as a multiple of a steady call."""
        if self.load_time is None or self.first_call is None or not self.median:
            return None
        return (self.load_time + self.first_call) / self.median


@dataclass
class Run:
    """A whole run: command, machine and versions; missing peers with the reasons; the results."""

    command: str
    date: str
    machine: dict[str, Any]
    options: dict[str, Any]
    reference: str | None = None
    labels: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    sizes: dict[str, dict[str, Any]] = field(default_factory=dict)
    ratios: list[dict[str, Any]] = field(default_factory=list)

    def find(self, case: str, **wanted: Any) -> list[Result]:
        """Results of a case that have times, with the given values of fields."""
        return [
            result
            for result in self.results
            if result.case == case
            and result.median is not None
            and all(getattr(result, name) == value for name, value in wanted.items())
        ]

    def one(self, case: str, **wanted: Any) -> Result | None:
        """The only such result; None if there is none, or more than one."""
        found = self.find(case, **wanted)
        return found[0] if len(found) == 1 else None

    def failed(self) -> Iterable[Result]:
        return (result for result in self.results if result.error is not None)

    def write(self, path: Path) -> None:
        """Whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(f"{path.name}.{os.getpid()}")
        scratch.write_text(json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n", encoding="utf-8")
        os.replace(scratch, path)


def read(path: Path) -> Run:
    """A run that was written. Raises ValueError for another format."""
    found = json.loads(path.read_text(encoding="utf-8"))
    version = found.pop("format", None)
    if version != FORMAT:
        raise ValueError(f"{path}: format {version}; expected results of benchmarks in format {FORMAT}. Measure again.")
    found["results"] = [Result(**result) for result in found["results"]]
    return Run(**found)
