"""The instructions that a product is made of, and which loops are its k loops."""

from __future__ import annotations

import re
from collections.abc import Mapping

from benchmarks.arm.blocks import Body

# Products of two elements that each does on 128-bit registers. fmla counts only in kernels of floats, see below.
INT8: Mapping[str, int] = {"sdot": 16, "smmla": 32, "smull": 8, "smull2": 8, "smlal": 8, "smlal2": 8}
FLOAT: Mapping[str, int] = {"fmla": 4}

# These have 64-bit pipes, two of which do one multiplication of 128 bits a cycle; LLVM 19's schedules let them do two
# of fmla. The peak is what the cores' optimisation guides say.
ONE_A_CYCLE = ("cortex-a53", "cortex-a55")

GEMM_S8, GEMM_F32 = "gemm_s8", "gemm_f32"
KINDS: Mapping[str, Mapping[str, int]] = {GEMM_S8: INT8, GEMM_F32: FLOAT}


def operation_of(function: str) -> str | None:
    """Which product a function belongs to: every function of a micro-kernel takes its operands as one struct."""
    if re.search(r"\bGemmS8 const&", function):
        return GEMM_S8
    return GEMM_F32 if re.search(r"\bGemmF32 const&", function) else None


def of(operation: str, body: Body) -> Body:
    """The multiplications among the instructions."""
    return tuple(line for line in body if line.split(maxsplit=1)[0] in KINDS[operation])


def products(operation: str, body: Body) -> int:
    """How many products of two elements a body does."""
    return sum(KINDS[operation][line.split(maxsplit=1)[0]] for line in of(operation, body))


def peak_cycles(core: str, multiplications: Body, bound: float) -> float:
    """The least time that they take on the core; bound: by its schedule."""
    return max(bound, len(multiplications)) if core in ONE_A_CYCLE else bound
