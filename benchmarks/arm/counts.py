"""How often each instruction was executed: a program under QEMU with the block_counts plugin."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.arm.tools import HarnessError, find, output

HEADER = "block_counts 1"
WORD = 4  # bytes of an instruction

Executions = Counter[int]  # of the instruction at each address


def parse(lines: Iterable[str]) -> Executions:
    """Executions by instruction, from what the plugin wrote: blocks that may overlap or be there twice."""
    rest = iter(lines)
    if next(rest, "").rstrip() != HEADER:
        raise HarnessError(f"the counts do not begin with {HEADER!r}: another version of block_counts.c wrote them")
    executions: Executions = Counter()
    for line in rest:
        address, instructions, times = line.split()
        start = int(address, 16)
        for at in range(start, start + WORD * int(instructions), WORD):
            executions[at] += int(times)
    return executions


def per_run(many: Executions, few: Executions, runs: int) -> Mapping[int, float]:
    """What one run executes, from two counts that are `runs` runs apart; what is not part of a run cancels out.

    An address may come out below zero: what start-up does depends a little on where the system put the stack. Those
    are dropped, and they must be few.
    """
    found = {at: (many[at] - few[at]) / runs for at in many.keys() | few.keys()}
    lost = -sum(times for times in found.values() if times < 0)
    kept = {at: times for at, times in found.items() if times > 0}
    if lost > 0.001 * sum(kept.values()):
        raise HarnessError(
            f"{lost:,.0f} instructions a run are in the shorter count only: was it the same program and data?"
        )
    return kept


def count(plugin: Path, cpu: str, command: Sequence[str | Path]) -> Executions:
    """Runs a statically linked program as the given processor."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "counts"
        emulator = [find("qemu-aarch64"), "-cpu", cpu, "-plugin", f"{plugin},out={out}"]
        output([*emulator, *command])
        if not out.exists():
            raise HarnessError(f"{plugin} wrote nothing: QEMU 4.2 to 8.2 knows its interface, and this is another")
        return parse(out.read_text(encoding="ascii").splitlines())
