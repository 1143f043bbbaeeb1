"""Kernels with operands.

Operands are random, aligned to cache lines and the same in every call, so they are in the L1 or L2 cache: the kernel is
measured, not memory.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mobilebert_rt import available_isas
from mobilebert_rt._core import kernels

Array = NDArray[Any]

LINE = 64
EPILOGUES = {"linear": 0, "relu": 1, "residual": 2}
HEAD_SIZE = 32

# MobileBERT's layers: K -> N and the epilogue.
SHAPES = (
    (512, 128, "residual"),  # the second layer of an FFN
    (128, 512, "relu"),  # the first layer of an FFN
    (128, 128, "linear"),  # query, key
    (384, 512, "linear"),  # the trigram of words
)
ROWS = (1, 8, 32, 128)


@dataclass(frozen=True)
class Call:
    """A kernel with its operands; work: multiply-accumulates of a product, elements of a row operation."""

    run: Callable[..., object]  # takes calls=, the number of runs of the kernel
    work: int


def aligned(values: Array) -> Array:
    """A copy that starts at a cache line."""
    memory = np.empty(values.nbytes + LINE, np.uint8)
    start = -memory.ctypes.data % LINE
    copy = memory[start : start + values.nbytes].view(values.dtype).reshape(values.shape)
    copy[...] = values
    return copy


def normal(*shape: int) -> Array:
    return aligned(np.random.default_rng(0).standard_normal(shape, np.float32))


def bytes_of(kind: type, *shape: int) -> Array:
    limits = (-127, 128) if kind is np.int8 else (0, 256)
    return aligned(np.random.default_rng(1).integers(*limits, shape, kind))


def zeros(*shape: int) -> Array:
    return aligned(np.zeros(shape, np.float32))


def gemm_s8(isa: str, m: int, k: int, n: int, epilogue: int) -> Call:
    fields = {
        "a": bytes_of(np.uint8, m, k),
        "a_scale": normal(m),
        "a_shift": normal(m),
        "w": bytes_of(np.int8, n // 16, k // 4, 16, 4),
        "w_scale": normal(n),
        "w_sum": normal(n),
    }
    if kernels.describe_set(isa)["gemm_s8_offset"]:
        fields["compensation"] = aligned(np.zeros(n, np.int32))
    return Call(partial(kernels.run, "gemm_s8", isa, **fields, **epilogue_fields(m, n, epilogue)), m * k * n)


def gemm_f32(isa: str, m: int, k: int, n: int, epilogue: int) -> Call:
    fields = {"a": normal(m, k), "w": normal(n // 16, k, 16), "panel_stride": k * 16}
    return Call(partial(kernels.run, "gemm_f32", isa, **fields, **epilogue_fields(m, n, epilogue)), m * k * n)


def epilogue_fields(m: int, n: int, epilogue: int) -> dict[str, Any]:
    """Fields of a product that its epilogue uses."""
    fields = {"epilogue": epilogue, "n": n, "bias": normal(n), "out": zeros(m, n)}
    if epilogue == EPILOGUES["residual"]:
        fields |= {"residual": normal(m, n), "residual_scale": normal(n)}
    return fields


GEMMS = {"gemm_s8": gemm_s8, "gemm_f32": gemm_f32}


def fields_of(operation: str, m: int, n: int) -> dict[str, Any]:
    """Operands of a row operation for m rows of width n; repeated in place they do not become denormal."""
    if operation.startswith("activate_"):
        return {"x": aligned(np.full((m, n), 16.0, np.float32))}  # GELU keeps 16
    heads = n // HEAD_SIZE
    softmax = {"s": normal(m, n), "keys": n, "inverse": zeros(m)}  # s stays between 1/e and 1
    weights = {"p": bytes_of(np.uint8, m, n), "factor": zeros(m)}
    q = bytes_of(np.uint8, m, n)
    return {
        "quantize": {"x": normal(m, n), "q": q, "scale": zeros(m), "shift": zeros(m)},
        "quantize_heads": {
            "x": normal(m, n),
            "heads": heads,
            "width": HEAD_SIZE,
            "q": q,
            "scale": zeros(m, heads),
            "sum": aligned(np.zeros((m, heads), np.int32)),
        },
        "layer_norm": {"x": normal(m, n), "n": n, "weight": normal(n), "bias": normal(n), "eps": 1e-12},
        "softmax": softmax,
        "softmax_s8": {"s_scale": np.abs(normal(m)), "value_scale": np.abs(normal(n))} | softmax | weights,
        "context": {"x": normal(m, n), "factor": normal(m), "y": zeros(m, n)},
    }[operation]


def row_operation(operation: str, isa: str, m: int, n: int) -> Call:
    return Call(partial(kernels.run, operation, isa, **fields_of(operation, m, n)), m * n)


# Row widths: MobileBERT's, or MiniLM's if MobileBERT lacks the operation.
WIDTHS = {"quantize": (512, 128), "quantize_heads": (128,), "softmax": (128,), "softmax_s8": (128,)}
WIDTHS |= {"context": (HEAD_SIZE,), "layer_norm": (384,)}
ACTIVATION_WIDTHS = (1536,)


def row_operations() -> list[tuple[str, int]]:
    """(operation, row width) for every row operation of kernels.inc."""
    return [(name, width) for name in kernels.list_row_operations() for width in WIDTHS.get(name, ACTIVATION_WIDTHS)]


def runnable_gemms() -> list[tuple[str, str, str]]:
    """(operation, kernel, an ISA that uses it) for every GEMM of kernels.inc that this CPU can run."""
    sets = [kernels.describe_set(isa) for isa in available_isas()]
    found = []
    for kernel in kernels.list_gemms():
        operation, name = kernel["operation"], kernel["name"]
        isa = next((str(s["isa"]) for s in sets if s[operation] == name), None)
        if isa is not None:
            found.append((operation, name, isa))
    return found
