"""The multiplication instructions of the GEMM kernels."""

from __future__ import annotations

import re
from collections.abc import Mapping

from benchmarks.arm.blocks import Block, Body

# Multiply-accumulates of each operation's instructions on 128-bit registers.
PRODUCTS: Mapping[str, Mapping[str, int]] = {
    "gemm_s8": {"sdot": 16, "smmla": 32, "smull": 8, "smull2": 8, "smlal": 8, "smlal2": 8},
    "gemm_f32": {"fmla": 4},
}

# Cores with 64-bit pipes: one 128-bit multiplication per cycle, by their optimisation guides; LLVM 19's schedules
# allow two fmla.
ONE_A_CYCLE = ("cortex-a53", "cortex-a55")


def operation_of(function: str) -> str | None:
    """The operation of a micro-kernel's function, by its argument struct."""
    found = re.search(r"\bGemm(S8|F32) const&", function)
    return f"gemm_{found[1].lower()}" if found else None


def of(operation: str | None, body: Body) -> Body:
    """The multiplication instructions of a body."""
    return tuple(line for line in body if line.split(maxsplit=1)[0] in PRODUCTS.get(operation or "", ()))


def of_k_loop(block: Block) -> Body:
    """The multiplication instructions of a k loop; none of other blocks."""
    return of(operation_of(block.function), block.body) if block.is_loop else ()


def products(multiplications: Body) -> int:
    """Number of multiply-accumulates."""
    by_mnemonic = {name: count for kind in PRODUCTS.values() for name, count in kind.items()}
    return sum(by_mnemonic[line.split(maxsplit=1)[0]] for line in multiplications)


def peak_cycles(core: str, multiplications: Body, bound: float) -> float:
    """Min cycles of the multiplications on the core; bound: by its schedule."""
    return max(bound, len(multiplications)) if core in ONE_A_CYCLE else bound
