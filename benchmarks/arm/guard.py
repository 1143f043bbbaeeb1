"""The regression guard: instructions per inference, compared with a committed baseline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.arm import account
from benchmarks.arm.measure import Counted
from scripts.common import ScriptError, UnavailableError

# Counts are exactly repeatable. The margin allows small changes such as a check or a clearer loop.
MARGIN = 0.005

REFRESH = "python -m benchmarks.arm --refresh"


class OtherCompilerError(UnavailableError):
    """The baseline was made with another compiler."""


@dataclass(frozen=True)
class Baseline:
    """instructions: by number of tokens. parts: of the longest text, to locate an increase."""

    compiler: str
    isa: str
    instructions: Mapping[str, int]
    parts: Mapping[str, int]


def take(compiler: str, counted: Sequence[Counted]) -> Baseline:
    longest = max(counted, key=lambda one: one.tokens)
    parts = longest.by({}, account.part_of)
    return Baseline(
        compiler,
        longest.isa,
        {str(one.tokens): round(one.instructions) for one in sorted(counted, key=lambda one: one.tokens)},
        {part: round(line.instructions) for part, line in parts.items()},
    )


def read(path: Path) -> Baseline:
    try:
        return Baseline(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ScriptError(f"{path}: not a baseline ({error}). Write one: `{REFRESH}`") from error


def write(path: Path, baseline: Baseline) -> None:
    path.write_text(json.dumps(asdict(baseline), indent=2) + "\n", encoding="utf-8")


def check_compiler(baseline: Baseline, compiler: str) -> None:
    if baseline.compiler != compiler:
        raise OtherCompilerError(
            f"baseline: made with {baseline.compiler}; found {compiler}, whose counts differ. To change the project's "
            f"compiler: `{REFRESH}`"
        )


def compare(baseline: Baseline, now: Baseline) -> tuple[bool, list[str]]:
    """Whether the guard passes, and the lines to print."""
    lines = []
    passes = True
    for tokens, before in baseline.instructions.items():
        count = now.instructions[tokens]
        change = count / before - 1
        verdict = "unchanged" if count == before else f"{change:+.3%}"
        lines.append(f"S = {tokens}: {count:,} instructions per inference, baseline {before:,}: {verdict}")
        passes = passes and change <= MARGIN
    if passes:
        if any(now.instructions[tokens] < (1 - MARGIN) * before for tokens, before in baseline.instructions.items()):
            lines.append(f"Fewer than the baseline. Update it: `{REFRESH}`")
        return True, lines
    lines.append(
        f"More than {MARGIN:.1%} above the baseline. Changes by part, at S = {max(baseline.instructions, key=int)}:"
    )
    for part in sorted(baseline.parts.keys() | now.parts.keys()):
        before, after = baseline.parts.get(part, 0), now.parts.get(part, 0)
        if before != after:
            lines.append(f"  {part}: {before:,} -> {after:,} ({after - before:+,})")
    lines.append(f"If the increase is justified, update the baseline and explain it in the commit: `{REFRESH}`")
    return False, lines
