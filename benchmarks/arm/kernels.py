"""The k loop of each GEMM micro-kernel, found in the compiled program, as a share of a core's multiply peak."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.arm import cycles, multiplies
from benchmarks.arm.blocks import Body, innermost_loops
from benchmarks.arm.program import Function
from scripts.common import ScriptError

# Cores for which shares are reported: out of order with dot product, with i8mm, and in order.
CORES = ("neoverse-n1", "neoverse-v2", "cortex-a55")

LIST = Path(__file__).resolve().parents[2] / "csrc/kernels/kernels.inc"
ENTRY = re.compile(r"^MBRT_GEMM\((\w+), +(\w+), +\d+, +\d+, +(\w+),", re.MULTILINE)
# In a demangled name: the namespace; the function and the numbers of its tile.
TARGET = re.compile(r"\bmbrt::(\w+)::")
TILE = re.compile(r"(\w+)<(?:\(mbrt::Epilogue\)\d+, )?([\d, ]+)>\(mbrt::Gemm")


@dataclass(frozen=True)
class Kernel:
    """A GEMM of csrc/kernels/kernels.inc."""

    operation: str
    name: str
    target: str


@dataclass(frozen=True)
class KLoop:
    """A loop of a micro-kernel; function: its template, of which a kernel may have several; rows: of its tile."""

    kernel: Kernel
    function: str
    tile: str
    rows: int
    body: Body

    @property
    def multiplications(self) -> Body:
        return multiplies.of(self.kernel.operation, self.body)


@dataclass(frozen=True)
class Share:
    """A loop on a core; share: None if the core lacks one of its instructions."""

    loop: KLoop
    cycles: float
    share: float | None


def listed(text: str) -> list[Kernel]:
    return [Kernel(operation, name, target) for operation, name, target in ENTRY.findall(text)]


def k_loops(functions: Sequence[Function], kernel: Kernel) -> Iterator[KLoop]:
    """Innermost loops with multiplications, of every tile and epilogue of the kernel."""
    for function in functions:
        target, tile = TARGET.search(function.name), TILE.search(function.name)
        operation = multiplies.operation_of(function.name)
        if target is None or tile is None or (operation, target[1]) != (kernel.operation, kernel.target):
            continue
        for start, end in innermost_loops(function):
            body = tuple(instruction.text for instruction in function.instructions[start:end])
            if multiplies.of(operation, body):
                yield KLoop(kernel, tile[1], f"{tile[1]} {tile[2]}", int(tile[2].split(",")[0]), body)


def largest(loops: Sequence[KLoop], kind: Callable[[KLoop], str], size: Callable[[KLoop], int]) -> list[KLoop]:
    """The loops with the max size of their kind."""
    max_size = {kind(loop): size(loop) for loop in sorted(loops, key=size)}
    return [loop for loop in loops if size(loop) == max_size[kind(loop)]]


def find_loops(functions: Sequence[Function], image: bytes, every_tile: bool = False) -> list[KLoop]:
    """The k loops of the kernels in the program, whose file is `image`: of every tile, or of each function's tallest.

    Raises ScriptError if a kernel has none.
    """
    found: list[KLoop] = []
    for kernel in listed(LIST.read_text(encoding="utf-8")):
        name = f"{kernel.operation}_{kernel.name}"
        if kernel.target == "scalar" or f"{name}\0".encode() not in image:  # dispatch has the names as strings
            continue
        loops = list(k_loops(functions, kernel))
        if not loops:
            raise ScriptError(
                f"{name}: no k loop found. Its multiplication is missing in benchmarks/arm/multiplies.py, or its "
                "functions have unexpected names."
            )
        # Not the loops for the remainder of k, which have fewer multiplications.
        loops = largest(loops, lambda loop: loop.tile, lambda loop: len(loop.multiplications))
        found += loops if every_tile else largest(loops, lambda loop: loop.function, lambda loop: loop.rows)
    return found


def shares(core: str, loops: Sequence[KLoop]) -> list[Share]:
    """Of each tile the slowest copy, since every epilogue has its own."""
    bodies = [loop.body for loop in loops] + [loop.multiplications for loop in loops]
    costs = cycles.price(core, bodies)
    worst: dict[tuple[Kernel, str], Share] = {}
    for loop in loops:
        cost, alone = costs[loop.body], costs[loop.multiplications].bound
        peak = multiplies.peak_cycles(core, loop.multiplications, alone)
        share = Share(loop, cost.cycles, peak / cost.cycles if cost.unknown == 0 else None)
        key = loop.kernel, loop.tile
        if key not in worst or (share.share or 0) < (worst[key].share or 0):
            worst[key] = share
    return list(worst.values())
