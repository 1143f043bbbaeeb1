"""Tables of the model and of the micro-kernels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.arm import account, multiplies
from benchmarks.arm.account import Line, Prices
from benchmarks.arm.blocks import Block
from benchmarks.arm.kernels import Share
from benchmarks.arm.measure import Counted

MILLION = 1e6
FUNCTIONS = 16  # lines of the table
SLOW_MEMORY = 4  # GB/s: a board such as a Raspberry Pi 4


def short(function: str) -> str:
    """A demangled name without the parts that all names share."""
    function = re.sub(r"\(anonymous namespace\)::|mbrt::|unsigned long|void | const&", "", function)
    return re.sub(r"(?<=\()(, )+|(, )+(?=[,)])", "", function)[:76]


def line_of(name: str, line: Line, whole: Line, cores: Sequence[str]) -> str:
    text = f"  {line['instructions'] / MILLION:>10.3f}{line['instructions'] / whole['instructions']:>7.1%}"
    for core in cores:
        cycles = line["cycles", core]
        share = line["ideal", core] / cycles if cycles else 0.0
        text += f"{cycles / MILLION:>13.3f}{cycles / whole['cycles', core]:>7.1%}"
        text += f"{share:>8.1%}" if share else f"{'':>8}"
    return f"{text}  {name}"


def table(lines: Mapping[str, Line], cores: Sequence[str], max_lines: int | None = None) -> Iterator[str]:
    whole = account.total(lines.values())
    yield f"  {'M instr.':>10}{'':>7}" + "".join(f"{core:>13}{'':>7}{'of peak':>8}" for core in cores)
    for name, line in list(lines.items())[:max_lines]:
        yield line_of(name, line, whole, cores)
    yield line_of("all", whole, whole, cores)


def whole_model(counted: Counted, prices: Mapping[str, Prices]) -> Iterator[str]:
    cores = list(prices)
    parts = counted.by(prices, account.part_of)
    whole = account.total(parts.values())
    said = ", ".join(
        f"{whole['cycles', core] / MILLION:.2f} M cycles on {core} (pipes only {whole['bound', core] / MILLION:.2f} M)"
        for core in cores
    )
    yield ""
    yield f"S = {counted.tokens}, int8, {counted.isa}: {whole['instructions'] / MILLION:.2f} M instructions; {said}"
    read = counted.weight_bytes / MILLION
    at_least = f"{read / SLOW_MEMORY:.1f} ms at {SLOW_MEMORY} GB/s"
    yield f"  {read:.1f} MB of weights are read: {at_least}, if no cache keeps any"
    yield f"  {whole['products'] / MILLION:.1f} M products. By part, instructions and cycles in millions:"
    yield from table(parts, cores)
    yield f"  By function, the first {FUNCTIONS}:"
    by_function = counted.by(prices, lambda block: short(block.function))
    yield from table(by_function, cores, FUNCTIONS)


def hottest(counted: Counted, prices: Mapping[str, Prices], count: int) -> Iterator[str]:
    """The most expensive blocks on the first core; pipes: their cost without waiting for results."""
    core, costs = next(iter(prices.items()))

    def total(block: Block) -> float:
        return costs[block.body].cycles * block.executions

    yield f"  The {count} hottest blocks on {core}:"
    yield f"  {'M cycles':>10}{'times':>12}{'instr.':>8}{'cycles':>9}{'pipes':>9}  {'address':<9} function"
    for block in sorted(counted.blocks, key=total, reverse=True)[:count]:
        cost = costs[block.body]
        yield (
            f"  {total(block) / MILLION:>10.3f}{block.executions:>12,.0f}{len(block.instructions):>8}"
            f"{cost.cycles:>9.1f}{cost.bound:>9.1f}  {block.instructions[0].address:<9x}"
            f"{'loop in ' if block.is_loop else ''}{short(block.function)}"
        )


def micro_kernels(shares: Mapping[str, Sequence[Share]]) -> Iterator[str]:
    """shares: by core, with the same loops in the same order."""
    cores = list(shares)
    yield ""
    yield "k loops of the micro-kernels at steady state: cycles per iteration, share of the core's multiply peak"
    yield f"  {'kernel':<22}{'tile':<18}{'instr.':>8}{'products':>10}" + "".join(f"{core:>21}" for core in cores)
    for row in zip(*shares.values(), strict=True):
        loop = row[0].loop
        name = f"{loop.kernel.operation}_{loop.kernel.name}"
        text = f"  {name:<22}{loop.tile:<18}{len(loop.body):>8}{multiplies.products(loop.multiplications):>10}"
        for share in row:
            text += f"{'-':>21}" if share.share is None else f"{share.cycles:>12.1f}{share.share:>9.1%}"
        yield text
