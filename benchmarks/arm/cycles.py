"""Cycles of blocks on a core's pipeline, by llvm-mca, at steady state.

Each block is priced as if it were executed repeatedly: the cost is what an iteration adds to a long sequence. For a
loop this is what happens. For other blocks it assumes perfect overlap with the code before and after, except that an
execution waits for results of the previous one that it reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.arm.blocks import Body
from scripts.common import ScriptError, find_tool, run

# LLVM 19 has schedules of these cores. It prices a Cortex-A76 as an A57: use the Neoverse N1, which is the same core.
CORES = (
    *("cortex-a53", "cortex-a55", "cortex-a57", "cortex-a510"),
    *("neoverse-n1", "neoverse-n2", "neoverse-v1", "neoverse-v2"),
)

# Numbers of iterations; the shorter fills the pipeline, the difference is steady.
SHORT, LONG = 60, 120

BEFORE = re.compile(r"^((?:ld|st|prf)\S* .*\[(x\d+|sp)), #(-?\w+)\]!$")
AFTER = re.compile(r"^((?:ld|st)\S* .*\[(x\d+|sp)\]), #(-?\w+)$")


@dataclass(frozen=True)
class Cost:
    """Of one iteration. bound: cycles of the busiest pipe or the dispatcher, without waiting for results."""

    cycles: float
    bound: float
    unknown: int  # instructions that the core lacks; their price is 0


def addition(register: str, distance: str) -> str:
    name = "sub" if distance.startswith("-") else "add"
    return f"{name} {register}, {register}, #{distance.removeprefix('-')}"


def separate_writeback(line: str) -> list[str]:
    """A load or store with writeback as the two operations that a core executes.

    On some cores llvm-mca lets the updated base register wait for the loaded data, which would chain the iterations.
    """
    if (found := BEFORE.match(line)) is not None:
        return [addition(found[2], found[3]), found[1] + "]"]
    if (found := AFTER.match(line)) is not None:
        return [found[1], addition(found[2], found[3])]
    return [line]


def source(bodies: Sequence[Body]) -> str:
    """Assembly for llvm-mca: one region per body, named by its index."""
    lines: list[str] = []
    for index, body in enumerate(bodies):
        lines.append(f"# LLVM-MCA-BEGIN {index}")
        lines += [part for line in body for part in separate_writeback(line)]
        lines.append("# LLVM-MCA-END")
    return "\n".join(lines) + "\n"


def simulate(core: str, assembly: str, iterations: int) -> Mapping[int, Mapping[str, Any]]:
    """llvm-mca's regions by name. Regions of which the core has no instruction are missing."""
    command = [
        find_tool("llvm-mca-19"),
        "-mtriple=aarch64",
        f"-mcpu={core}",
        f"-iterations={iterations}",
        "-call-latency=0",
        "-skip-unsupported-instructions=any",
        "--json",
    ]
    regions = json.loads(run(command, text=assembly))["CodeRegions"]
    return {int(region["Name"]): region for region in regions}


def price(core: str, bodies: Iterable[Body]) -> dict[Body, Cost]:
    """The cost of each body on a core."""
    if core not in CORES:
        raise ScriptError(f"unknown core {core!r}; expected one of {', '.join(CORES)}")
    wanted = list(dict.fromkeys(bodies))
    assembly = source(wanted)
    short, long = (simulate(core, assembly, iterations) for iterations in (SHORT, LONG))
    costs = {}
    for index, body in enumerate(wanted):
        instructions = sum(len(separate_writeback(line)) for line in body)
        if index not in short:
            costs[body] = Cost(0.0, 0.0, instructions)
            continue
        first, second = (run[index]["SummaryView"] for run in (short, long))
        cycles = (second["TotalCycles"] - first["TotalCycles"]) / (LONG - SHORT)
        costs[body] = Cost(cycles, first["BlockRThroughput"], instructions - len(short[index]["Instructions"]))
    return costs
