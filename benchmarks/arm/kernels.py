"""Each GEMM micro-kernel's k loop, found in the compiled program, as a share of a core's multiply peak."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.arm import cycles, multiplies
from benchmarks.arm.blocks import Body, innermost_loops
from benchmarks.arm.program import Program
from benchmarks.arm.tools import HarnessError

# The cores that the project states shares for: dot product in order, out of order, and with matrix multiplication.
CORES = ("neoverse-n1", "neoverse-v2", "cortex-a55")

LIST = Path(__file__).resolve().parents[2] / "csrc/kernels/kernels.inc"
ENTRY = re.compile(r"^MBRT_GEMM\((\w+), +(\w+), +\d+, +\d+, +(\w+),", re.MULTILINE)
# Of a demangled name: its namespace; what the function is called, and the tile that it is for, in numbers.
TARGET = re.compile(r"\bmbrt::(\w+)::")
TILE = re.compile(r"(\w+)<(?:\(mbrt::Epilogue\)\d+, )?([\d, ]+)>\(mbrt::Gemm")


@dataclass(frozen=True)
class Kernel:
    """A line of csrc/kernels/kernels.inc."""

    operation: str
    name: str
    target: str


@dataclass(frozen=True)
class KLoop:
    kernel: Kernel
    function: str  # a kernel may have several kinds of tiles, each a function template
    size: str  # of the tile: its template's numbers, rows first
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

    @property
    def products(self) -> int:
        return multiplies.products(self.kernel.operation, self.body)


@dataclass(frozen=True)
class Share:
    """A loop on a core; share is None where the core lacks an instruction of it."""

    loop: KLoop
    cycles: float
    share: float | None


def listed(text: str) -> list[Kernel]:
    return [Kernel(operation, name, target) for operation, name, target in ENTRY.findall(text)]


def tile_of(function: str) -> tuple[str, str, str] | None:
    """Namespace and name of a micro-kernel's function, and its tile, without the epilogue: ("neon", "run", "8, 1")."""
    target, tile = TARGET.search(function), TILE.search(function)
    if target is None or tile is None:
        return None
    return target[1], tile[1], tile[2]


def k_loops(program: Program, kernel: Kernel) -> Iterator[KLoop]:
    """The innermost loops with multiplications, of every tile of the kernel and every epilogue."""
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
    """The loops of the largest size of each kind."""
    most: dict[str, int] = {}
    for loop in loops:
        most[kind(loop)] = max(most.get(kind(loop), 0), size(loop))
    return [loop for loop in loops if size(loop) == most[kind(loop)]]


def find_loops(program: Program, image: bytes, every_tile: bool = False) -> list[KLoop]:
    """The k loops of the kernels that are in the program, whose file is image. HarnessError when one has none.

    Of every tile, or of the tallest of each kind (a function of another name is another kind).
    """
    found: list[KLoop] = []
    for kernel in listed(LIST.read_text(encoding="utf-8")):
        is_here = f"{kernel.operation}_{kernel.name}\0".encode() in image  # dispatch tells its name at run time
        if not is_here or kernel.target == "scalar":
            continue
        loops = list(k_loops(program, kernel))
        if not loops:
            raise HarnessError(
                f"no k loop of {kernel.operation}_{kernel.name} was found: it multiplies with an instruction that "
                "benchmarks/arm/multiplies.py does not know, or its functions are named in a new way"
            )
        # Not the loops for the last few k, which multiply less in an iteration.
        loops = largest(loops, lambda loop: loop.tile, lambda loop: len(loop.multiplications))
        found += loops if every_tile else largest(loops, lambda loop: loop.function, lambda loop: loop.rows)
    return found


def shares(core: str, loops: Sequence[KLoop]) -> list[Share]:
    """Of each kernel's tile the slowest copy: every epilogue has its own."""
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
