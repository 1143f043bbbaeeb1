"""Cycles of straight pieces of code on a core's pipeline, by llvm-mca, at steady state.

Each piece is priced as if it were executed again and again with nothing in between: an iteration costs what it adds to
a long row of them. For the body of a loop that is what happens. For a piece that is not a loop it stands for perfect
overlap with what comes before and after, except that the next execution waits for what it reads of this one's results.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.arm.blocks import Body
from benchmarks.arm.tools import HarnessError, find, output

# LLVM 19 has schedules of these cores, checked by Arm or against hardware. It prices a Cortex-A76 as an A57: ask for
# the Neoverse N1, which is the same core.
CORES = (
    *("cortex-a53", "cortex-a55", "cortex-a57", "cortex-a510"),
    *("neoverse-n1", "neoverse-n2", "neoverse-v1", "neoverse-v2"),
)

# Two lengths of the row; the shorter one fills the pipeline, the difference is steady.
SHORT, LONG = 60, 120

BEFORE = re.compile(r"^((?:ld|st|prf)\S* .*\[(x\d+|sp)), #(-?\w+)\]!$")
AFTER = re.compile(r"^((?:ld|st)\S* .*\[(x\d+|sp)\]), #(-?\w+)$")


@dataclass(frozen=True)
class Cost:
    """Of one iteration. bound: of the busiest pipe or the dispatcher, with all waiting for results left out."""

    cycles: float
    bound: float
    unknown: int  # instructions that this core does not have; they are priced at nothing


def moved(register: str, distance: str) -> str:
    name = "sub" if distance.startswith("-") else "add"
    return f"{name} {register}, {register}, #{distance.removeprefix('-')}"


def separate_writeback(line: str) -> list[str]:
    """A load or store that moves its base register, as the two operations that a core makes of it.

    llvm-mca has the moved register wait for the loaded data on some cores, which would chain the iterations.
    """
    if (found := BEFORE.match(line)) is not None:
        return [moved(found[2], found[3]), found[1] + "]"]
    if (found := AFTER.match(line)) is not None:
        return [found[1], moved(found[2], found[3])]
    return [line]


def source(bodies: Sequence[Body]) -> str:
    """Assembly for llvm-mca: a region a body, named by its place."""
    lines: list[str] = []
    for place, body in enumerate(bodies):
        lines.append(f"# LLVM-MCA-BEGIN {place}")
        lines += [part for line in body for part in separate_writeback(line)]
        lines.append("# LLVM-MCA-END")
    return "\n".join(lines) + "\n"


def simulate(core: str, assembly: str, iterations: int) -> Mapping[int, Mapping[str, Any]]:
    """llvm-mca's regions by their names. A region of which the core knows no instruction is not there."""
    command = [
        find("llvm-mca-19"),
        "-mtriple=aarch64",
        f"-mcpu={core}",
        f"-iterations={iterations}",
        "-call-latency=0",
        "-skip-unsupported-instructions=any",
        "--json",
    ]
    regions = json.loads(output(command, text=assembly))["CodeRegions"]
    return {int(region["Name"]): region for region in regions}


def price(core: str, bodies: Iterable[Body]) -> dict[Body, Cost]:
    """The cost of each body on a core."""
    if core not in CORES:
        raise HarnessError(f"there is no schedule of {core!r}; give one of {', '.join(CORES)}")
    wanted = list(dict.fromkeys(bodies))
    assembly = source(wanted)
    short, long = (simulate(core, assembly, iterations) for iterations in (SHORT, LONG))
    costs = {}
    for place, body in enumerate(wanted):
        instructions = sum(len(separate_writeback(line)) for line in body)
        if place not in short:
            costs[body] = Cost(0.0, 0.0, instructions)
            continue
        first, second = (run[place]["SummaryView"] for run in (short, long))
        cycles = (second["TotalCycles"] - first["TotalCycles"]) / (LONG - SHORT)
        costs[body] = Cost(cycles, first["BlockRThroughput"], instructions - len(short[place]["Instructions"]))
    return costs
