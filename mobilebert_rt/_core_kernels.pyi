"""Stubs of _core.kernels: single kernels, for tests and benchmarks.

Arrays are used where they lie; contracts are in csrc/kernels/.

A kernel is run `calls` times: one run of a small product is shorter than a call from Python.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

_F32 = npt.NDArray[np.float32]
_U8 = npt.NDArray[np.uint8]

def list_kernels() -> list[dict[str, Any]]:
    """Every GEMM of kernels.inc: operation, name, rows, columns, target, packing, offset."""

def describe_set(isa: str) -> dict[str, Any]:
    """isa, gemm_s8, gemm_s8_offset, gemm_f32."""

def gemm_s8(
    isa: str,
    epilogue: int,
    a: _U8,
    a_scale: _F32,
    a_shift: _F32,
    w: npt.NDArray[np.int8],
    compensation: npt.NDArray[np.int32] | None,
    w_scale: _F32,
    w_sum: _F32,
    bias: _F32,
    residual: _F32 | None,
    residual_scale: _F32 | None,
    out: _F32,
    calls: int = 1,
) -> None:
    """epilogue: 0 linear, 1 relu, 2 residual, 3 the product alone."""

def gemm_f32(
    isa: str,
    epilogue: int,
    a: _F32,
    w: _F32,
    n: int,
    panel_stride: int,
    bias: _F32 | None,
    residual: _F32 | None,
    residual_scale: _F32 | None,
    out: _F32,
    calls: int = 1,
) -> None:
    """epilogue: 0 linear, 1 relu, 2 residual, 3 the product alone."""

def quantize(isa: str, x: _F32, q: _U8, scale: _F32, shift: _F32, calls: int = 1) -> None: ...
def quantize_heads(
    isa: str,
    heads: int,
    width: int,
    x: _F32,
    q: _U8,
    scale: _F32,
    sum: npt.NDArray[np.int32] | None,
    calls: int = 1,
) -> None: ...
def layer_norm(isa: str, x: _F32, n: int, weight: _F32, bias: _F32, eps: float, calls: int = 1) -> None: ...
def softmax(isa: str, s: _F32, keys: int, mask: _U8 | None, inverse: _F32, calls: int = 1) -> None: ...
def softmax_s8(
    isa: str,
    s: _F32,
    keys: int,
    mask: _U8 | None,
    s_scale: _F32,
    value_scale: _F32,
    inverse: _F32,
    p: _U8,
    factor: _F32,
    calls: int = 1,
) -> None: ...
def context(isa: str, x: _F32, factor: _F32, y: _F32, calls: int = 1) -> None: ...
def activate(isa: str, activation: int, x: _F32, scale: _F32 | None, calls: int = 1) -> None: ...
def peak_s8(isa: str, iterations: int) -> int: ...
def peak_f32(isa: str, iterations: int) -> int: ...
