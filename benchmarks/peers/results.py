"""What a run found, as it is written to JSON and as tables, ratios and plots read it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FORMAT = 1


@dataclass(frozen=True)
class Result:
    """One entry of one group. Seconds; memory in bytes above Python with numpy. None: not measured.

    error: why there are no times. first_quartile, third_quartile: of the rounds' medians. error_of_rows: the largest
    |a - b| / max |b| of a token; cosine: mean and least of the tokens. Both against the reference.
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
    least_cosine: float | None = None
    error_of_rows: float | None = None
    imported: float | None = None
    load: float | None = None
    first: float | None = None
    memory: int | None = None


@dataclass
class Run:
    """A whole run: the circumstances, who is missing and why, the results."""

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
        """Results with times or memory, of a case, whose fields are as wanted."""
        return [
            result
            for result in self.results
            if result.case == case
            and result.median is not None
            and all(getattr(result, name) == value for name, value in wanted.items())
        ]

    def one(self, case: str, **wanted: Any) -> Result | None:
        """The only such result, None if there is none."""
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
    if found.pop("format", None) != FORMAT:
        raise ValueError(f"{path} is not a result of benchmarks/peers in format {FORMAT}")
    found["results"] = [Result(**result) for result in found["results"]]
    return Run(**found)
