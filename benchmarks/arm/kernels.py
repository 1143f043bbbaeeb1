"""The k loop of each GEMM micro-kernel, found in the compiled program, as a share of a core's multiply peak."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.arm import cycles, multiplies
from benchmarks.arm.blocks import Body, innermost_loops
from benchmarks.arm.program import Program
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
    kernel: Kernel
    function: str  # a kernel may have several function templates of tiles
    size: str  # template arguments of the tile, rows first
    body: Body

    @property
    def tile(self) -> str:
        return f"{self.function} {self.size}"

    @property
    def rows(self) -> int:
        return int(self.size.split(",")[0])

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


def tile_of(function: str) -> tuple[str, str, str] | None:
    """Namespace, name and tile of a micro-kernel's function, without the epilogue: ("neon", "run", "8, 1")."""
    target, tile = TARGET.search(function), TILE.search(function)
    if target is None or tile is None:
        return None
    return target[1], tile[1], tile[2]


def k_loops(program: Program, kernel: Kernel) -> Iterator[KLoop]:
    """Innermost loops with multiplications, of every tile and epilogue of the kernel."""
    for function in program.functions:
        if multiplies.operation_of(function.name) != kernel.operation:
            continue
        tile = tile_of(function.name)
        if tile is None or tile[0] != kernel.target:
            continue
        for start, end in innermost_loops(function):
            body = tuple(instruction.text for instruction in function.instructions[start:end])
            if multiplies.of(kernel.operation, body):
                yield KLoop(kernel, tile[1], tile[2], body)


def largest(loops: Sequence[KLoop], kind: Callable[[KLoop], str], size: Callable[[KLoop], int]) -> list[KLoop]:
    """The loops with the max size of their kind."""
    max_size: dict[str, int] = {}
    for loop in loops:
        max_size[kind(loop)] = max(max_size.get(kind(loop), 0), size(loop))
    return [loop for loop in loops if size(loop) == max_size[kind(loop)]]


def find_loops(program: Program, image: bytes, every_tile: bool = False) -> list[KLoop]:
    """The k loops of the kernels in the program, whose file is `image`: of every tile, or of each function's tallest.

    Raises ScriptError if a kernel has none.
    """
    found: list[KLoop] = []
    for kernel in listed(LIST.read_text(encoding="utf-8")):
        is_here = f"{kernel.operation}_{kernel.name}\0".encode() in image  # dispatch has the names as strings
        if not is_here or kernel.target == "scalar":
            continue
        loops = list(k_loops(program, kernel))
        if not loops:
            raise ScriptError(
                f"{kernel.operation}_{kernel.name}: no k loop found. Its multiplication is missing in "
                "benchmarks/arm/multiplies.py, or its functions have unexpected names."
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
