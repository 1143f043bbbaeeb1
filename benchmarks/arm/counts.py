"""Executions of each instruction: a program under QEMU with the block_counts plugin."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from scripts.common import ScriptError, find_tool, run

HEADER = "block_counts 1"
WORD = 4  # bytes of an instruction

Executions = Counter[int]  # of the instruction at each address


def parse(lines: Iterable[str]) -> Executions:
    """Executions by instruction, from the plugin's output, whose blocks may overlap or repeat."""
    rest = iter(lines)
    if next(rest, "").rstrip() != HEADER:
        raise ScriptError(f"counts: the first line is not {HEADER!r}; another version of block_counts.c wrote them")
    executions: Executions = Counter()
    for line in rest:
        address, instructions, times = line.split()
        start = int(address, 16)
        for at in range(start, start + WORD * int(instructions), WORD):
            executions[at] += int(times)
    return executions


def per_run(many: Executions, few: Executions, runs: int) -> Mapping[int, float]:
    """Executions of one run, from two counts that differ by `runs` runs; start-up cancels out.

    Start-up depends a little on the address of the stack, so that single differences may be negative. They are
    dropped, and must be few.
    """
    found = {at: (many[at] - few[at]) / runs for at in many.keys() | few.keys()}
    lost = -sum(times for times in found.values() if times < 0)
    kept = {at: times for at, times in found.items() if times > 0}
    if lost > 0.001 * sum(kept.values()):
        raise ScriptError(
            f"counts: {lost:,.0f} instructions per run are in the shorter count only; expected the same program"
        )
    return kept


def emulator(cpu: str) -> list[str | Path]:
    return [find_tool("qemu-aarch64"), "-cpu", cpu]


def count(plugin: Path, cpu: str, command: Sequence[str | Path]) -> Executions:
    """Run a statically linked program on the emulated processor and count."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "counts"
        run([*emulator(cpu), "-plugin", f"{plugin},out={out}", *command])
        if not out.exists():
            raise ScriptError(f"{plugin}: wrote no counts; it needs the plugin interface of QEMU 4.2 to 8.2")
        return parse(out.read_text(encoding="ascii").splitlines())
