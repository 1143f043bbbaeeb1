"""The multiplication instructions of the GEMM kernels."""

from __future__ import annotations

import re
from collections.abc import Mapping

from benchmarks.arm.blocks import Body

# Multiply-accumulates of each instruction on 128-bit registers.
INT8: Mapping[str, int] = {"sdot": 16, "smmla": 32, "smull": 8, "smull2": 8, "smlal": 8, "smlal2": 8}
FLOAT: Mapping[str, int] = {"fmla": 4}

# Cores with 64-bit pipes: one 128-bit multiplication per cycle, by their optimisation guides; LLVM 19's schedules
# allow two fmla.
ONE_A_CYCLE = ("cortex-a53", "cortex-a55")

GEMM_S8, GEMM_F32 = "gemm_s8", "gemm_f32"
KINDS: Mapping[str, Mapping[str, int]] = {GEMM_S8: INT8, GEMM_F32: FLOAT}


def operation_of(function: str) -> str | None:
    """The operation of a micro-kernel's function, by its argument struct."""
    if re.search(r"\bGemmS8 const&", function):
        return GEMM_S8
    return GEMM_F32 if re.search(r"\bGemmF32 const&", function) else None


def of(operation: str, body: Body) -> Body:
    """The multiplication instructions of a body."""
    return tuple(line for line in body if line.split(maxsplit=1)[0] in KINDS[operation])


def products(operation: str, body: Body) -> int:
    """Number of multiply-accumulates of a body."""
    return sum(KINDS[operation][line.split(maxsplit=1)[0]] for line in of(operation, body))


def peak_cycles(core: str, multiplications: Body, bound: float) -> float:
    """Min cycles of the multiplications on the core; bound: by its schedule."""
    return max(bound, len(multiplications)) if core in ONE_A_CYCLE else bound
