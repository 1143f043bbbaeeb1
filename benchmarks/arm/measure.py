"""One text through the whole model: counted under emulation, or timed on a board."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.arm import account, cycles
from benchmarks.arm.account import Line, Prices
from benchmarks.arm.blocks import Block, executed, outside
from benchmarks.arm.build import Built
from benchmarks.arm.counts import count, per_run
from benchmarks.arm.program import Program
from benchmarks.arm.tools import HarnessError, output

# The emulated processor for each set of kernels: the weakest that has it.
PROCESSORS: Mapping[str, str] = {"neon": "cortex-a53", "dotprod": "neoverse-n1", "i8mm": "max"}

# Runs of the shorter and the longer count. The first run of all brings in memory and is in both.
FEW, MANY = 1, 3
TIMED_RUNS = 31


@dataclass(frozen=True)
class Counted:
    """What one inference executes."""

    tokens: int
    isa: str
    blocks: Sequence[Block]

    @property
    def instructions(self) -> float:
        return sum(block.total for block in self.blocks)

    def by(self, prices: Mapping[str, Prices], key: Callable[[Block], str]) -> dict[str, Line]:
        return account.add_up(self.blocks, prices, key)


def count_inference(plugin: Path, built: Built, program: Program, isa: str, tokens: int) -> Counted:
    """Exact: nothing in the engine depends on time, and the program has one thread."""
    few, many = (
        count(plugin, PROCESSORS[isa], [built.program, "count", built.model, str(tokens), str(runs), isa])
        for runs in (FEW, MANY)
    )
    executions = per_run(many, few, MANY - FEW)
    blocks = executed(program, executions)
    lost = outside(program, executions)
    if not blocks or lost > 0.001 * sum(executions.values()):
        raise HarnessError(f"{lost:,.0f} counted instructions are not in {built.program}: it must be linked statically")
    return Counted(tokens, isa, blocks)


def price(counted: Counted, cores: Sequence[str]) -> dict[str, Prices]:
    """What every block costs on each core."""
    bodies = [block.body for block in counted.blocks] + account.multiplications(counted.blocks)
    prices: dict[str, Prices] = {}
    for core in cores:
        prices[core] = cycles.price(core, bodies)
        account.check_known(core, counted.blocks, prices[core])
    return prices


@dataclass(frozen=True)
class Timed:
    """Medians over the runs of one length on this machine; counters are None where the system keeps them to itself."""

    tokens: int
    isa: str
    milliseconds: float
    instructions: float | None
    cycles: float | None


def time_inference(built: Built, isa: str | None, tokens: int) -> Timed:
    command: list[str | Path] = [built.program, "time", built.model, str(tokens), str(TIMED_RUNS)]
    command += [isa] if isa else []
    runs = [json.loads(line) for line in output(command).splitlines()][1:]  # the first one brings in memory

    def median(what: str) -> float | None:
        values = [run[what] for run in runs]
        return None if min(values) < 0 else statistics.median(values)

    return Timed(
        tokens,
        runs[0]["isa"],
        statistics.median(run["milliseconds"] for run in runs),
        median("instructions"),
        median("cycles"),
    )
