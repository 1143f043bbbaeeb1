"""Kernels with operands, ready to be timed.

Operands are random, aligned to cache lines and used again in every call, so they are in the first or second level
of the cache: what is measured is the kernel, not the memory behind it.
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
LINEAR, RELU, RESIDUAL = 0, 1, 2
GELU_ERF = 1
HEAD_SIZE = 32

# MobileBERT's layers: K -> N and what follows the product.
SHAPES = (
    (512, 128, "residual", RESIDUAL),  # the second layer of an FFN
    (128, 512, "relu", RELU),  # the first layer of an FFN
    (128, 128, "linear", LINEAR),  # query, key
    (384, 512, "linear", LINEAR),  # the trigram of words
)
ROWS = (1, 8, 32, 128)


@dataclass(frozen=True)
class Call:
    """A kernel with its operands; work: multiply-accumulates of a product, elements of a row operation."""

    run: Callable[..., object]  # takes calls=, how often the kernel is run
    work: int


def aligned(values: Array) -> Array:
    """A copy that begins at a cache line."""
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
    operands = {
        "a": bytes_of(np.uint8, m, k),
        "a_scale": normal(m),
        "a_shift": normal(m),
        "w": bytes_of(np.int8, n // 16, k // 4, 16, 4),
        "compensation": aligned(np.zeros(n, np.int32)),
        "w_scale": normal(n),
        "w_sum": normal(n),
        "bias": normal(n),
        "residual": normal(m, n),
        "residual_scale": normal(n),
        "out": zeros(m, n),
    }
    return Call(partial(kernels.gemm_s8, isa, epilogue, *operands.values()), m * k * n)


def gemm_f32(isa: str, m: int, k: int, n: int, epilogue: int) -> Call:
    a, w, out = normal(m, k), normal(n // 16, k, 16), zeros(m, n)
    tail = (normal(n), normal(m, n), normal(n), out)  # bias, residual, residual_scale
    return Call(partial(kernels.gemm_f32, isa, epilogue, a, w, n, k * 16, *tail), m * k * n)


GEMMS = {"gemm_s8": gemm_s8, "gemm_f32": gemm_f32}


def quantize(isa: str, m: int, k: int) -> Call:
    return Call(partial(kernels.quantize, isa, normal(m, k), bytes_of(np.uint8, m, k), zeros(m), zeros(m)), m * k)


def layer_norm(isa: str, m: int, n: int) -> Call:
    return Call(partial(kernels.layer_norm, isa, normal(m, n), n, normal(n), normal(n), 1e-12), m * n)


def softmax(isa: str, m: int, n: int) -> Call:
    """Scores of n keys, no mask; repeated in place they stay between 1/e and 1."""
    return Call(partial(kernels.softmax, isa, normal(m, n), n, None, zeros(m)), m * n)


def softmax_s8(isa: str, m: int, n: int) -> Call:
    scales = (np.abs(normal(m)), np.abs(normal(n)))
    return Call(
        partial(kernels.softmax_s8, isa, normal(m, n), n, None, *scales, zeros(m), bytes_of(np.uint8, m, n), zeros(m)),
        m * n,
    )


def quantize_heads(isa: str, m: int, n: int) -> Call:
    heads = n // HEAD_SIZE
    outputs = (bytes_of(np.uint8, m, n), zeros(m, heads), aligned(np.zeros((m, heads), np.int32)))
    return Call(partial(kernels.quantize_heads, isa, heads, HEAD_SIZE, normal(m, n), *outputs), m * n)


def context(isa: str, m: int, n: int) -> Call:
    return Call(
        partial(kernels.context, isa, normal(m, n), normal(m), zeros(m, n)),
        m * n,
    )


def gelu(isa: str, m: int, n: int) -> Call:
    """On numbers that gelu leaves as they are, so that repeating it in place does not end in denormals."""
    x = aligned(np.full((m, n), 16.0, np.float32))
    return Call(partial(kernels.activate, isa, GELU_ERF, x, None), m * n)


MakeRowOperation = Callable[[str, int, int], Call]

# Name, function, and the width of a row: MobileBERT's, or MiniLM's where MobileBERT has no such operation.
ROW_OPERATIONS = (
    ("quantize", quantize, 512),
    ("quantize", quantize, 128),
    ("quantize_heads", quantize_heads, 128),
    ("softmax", softmax, 128),
    ("softmax_s8", softmax_s8, 128),
    ("context", context, HEAD_SIZE),
    ("layer_norm", layer_norm, 384),
    ("gelu", gelu, 1536),
)


def runnable_gemms() -> list[tuple[str, str, str]]:
    """(operation, kernel, a set that uses it) for every kernel of the list that this processor can run."""
    sets = [kernels.describe_set(isa) for isa in available_isas()]
    found = []
    for kernel in kernels.list_kernels():
        operation, name = kernel["operation"], kernel["name"]
        isa = next((str(s["isa"]) for s in sets if s[operation] == name), None)
        if isa is not None:
            found.append((operation, name, isa))
    return found
