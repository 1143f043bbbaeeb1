"""The instructions of one inference, counted under emulation, and their prices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.arm import account, build, cycles, multiplies
from benchmarks.arm.account import Line, Prices
from benchmarks.arm.blocks import Block, executed
from benchmarks.arm.counts import count, emulator, per_run
from benchmarks.arm.program import disassemble
from scripts.common import ScriptError, run

# The emulated processor of each instruction set: the oldest that has it.
PROCESSORS: Mapping[str, str] = {"neon": "cortex-a53", "dotprod": "neoverse-n1", "i8mm": "max"}

# Runs of the shorter and the longer count. The first run, which allocates, is in both.
FEW, MANY = 1, 3


@dataclass(frozen=True)
class Counted:
    """The executed blocks of one inference."""

    tokens: int
    isa: str
    blocks: Sequence[Block]
    weight_bytes: int = 0  # that it reads; once for each panel of rows

    @property
    def instructions(self) -> float:
        return sum(block.total for block in self.blocks)

    def by(self, prices: Mapping[str, Prices], key: Callable[[Block], str]) -> dict[str, Line]:
        return account.add_up(self.blocks, prices, key)


class Measured:
    """The program, its disassembly, a model and the counting plugin, all built if necessary."""

    def __init__(self, folder: Path, model: Path | None) -> None:
        self._plugin = build.build_plugin(folder)
        self.file = build.build_program()
        self._model = model or build.write_model(folder)
        self.functions = disassemble(self.file)

    def count(self, isa: str, tokens: int) -> Counted:
        """Count one inference exactly: the engine does not depend on time, and the program has one thread."""
        few, many = (
            count(self._plugin, PROCESSORS[isa], [self.file, self._model, str(tokens), str(runs), isa])
            for runs in (FEW, MANY)
        )
        executions = per_run(many, few, MANY - FEW)
        blocks = executed(self.functions, executions)
        lost = sum(executions.values()) - sum(block.total for block in blocks)
        if not blocks or lost > 0.001 * sum(executions.values()):
            raise ScriptError(f"{self.file}: {lost:,.0f} counted instructions are not in the file; link it statically")
        read = run((*emulator(PROCESSORS[isa]), self.file, self._model, str(tokens), "0", isa))
        return Counted(tokens, isa, blocks, int(read))


def price(counted: Counted, cores: Sequence[str]) -> dict[str, Prices]:
    """The cost of every block on each core."""
    bodies = [block.body for block in counted.blocks]
    bodies += [loop for block in counted.blocks if (loop := multiplies.of_k_loop(block))]
    prices: dict[str, Prices] = {}
    for core in cores:
        prices[core] = cycles.price(core, bodies)
        account.check_known(core, counted.blocks, prices[core])
    return prices
