"""The regression guard: instructions per inference, compared with a committed baseline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.arm import account
from benchmarks.arm.measure import Counted
from scripts.common import ScriptError, UnavailableError

# Counts are exactly repeatable. The margin allows small changes such as a check or a clearer loop.
MARGIN = 0.005

REFRESH = "python -m benchmarks.arm --refresh"


@dataclass(frozen=True)
class Baseline:
    """Instructions of one inference, in all and by part of the model."""

    compiler: str
    isa: str
    tokens: int
    instructions: int
    parts: Mapping[str, int]


def take(compiler: str, counted: Counted) -> Baseline:
    parts = {part: round(line["instructions"]) for part, line in counted.by({}, account.part_of).items()}
    return Baseline(compiler, counted.isa, counted.tokens, round(counted.instructions), parts)


def read(path: Path) -> Baseline:
    try:
        return Baseline(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ScriptError(f"{path}: not a baseline ({error}). Write one: `{REFRESH}`") from error


def write(path: Path, baseline: Baseline) -> None:
    path.write_text(json.dumps(asdict(baseline), indent=2) + "\n", encoding="utf-8")


def check_compiler(baseline: Baseline, compiler: str) -> None:
    if baseline.compiler != compiler:
        raise UnavailableError(
            f"baseline: made with {baseline.compiler}; found {compiler}, whose counts differ. To change the project's "
            f"compiler: `{REFRESH}`"
        )


def compare(baseline: Baseline, now: Baseline) -> tuple[bool, list[str]]:
    """Whether the guard passes, and the lines to print."""
    before, count = baseline.instructions, now.instructions
    change = count / before - 1
    verdict = f"{change:+.3%}" if change else "unchanged"
    lines = [f"S = {now.tokens}: {count:,} instructions per inference, baseline {before:,}: {verdict}"]
    if change < -MARGIN:
        lines.append(f"Fewer than the baseline. Update it: `{REFRESH}`")
    if change <= MARGIN:
        return True, lines
    lines.append(f"More than {MARGIN:.1%} above the baseline. Changes by part:")
    for part in sorted(baseline.parts.keys() | now.parts.keys()):
        old, new = baseline.parts.get(part, 0), now.parts.get(part, 0)
        if old != new:
            lines.append(f"  {part}: {old:,} -> {new:,} ({new - old:+,})")
    lines.append(f"If the increase is justified, update the baseline and explain it in the commit: `{REFRESH}`")
    return False, lines
